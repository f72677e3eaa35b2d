#!/bin/sh
# Runs every check, also after one has failed, and pytest last so that its closing line is the summary.
# usage: scripts/verify.sh all|quick [paths of tests]
set -u
cd "$(dirname "$0")/.."
extent=${1:?"usage: scripts/verify.sh all|quick [paths of tests]"}
shift
python=.venv/bin/python
failed=

step() {
    name=$1
    shift
    if "$@" >.test/step.log 2>&1; then
        echo "ok      $name"
    else
        echo "FAILED  $name"
        cat .test/step.log
        failed="$failed $name"
    fi
}

mkdir -p .test
step style "$python" -m ruff check .
step format "$python" -m ruff format --check .
step types "$python" -m mypy
step contracts .venv/bin/lint-imports

# `loadgroup` keeps the tests of one drill on one worker: two drills at once starve each other.
set -- "$@" -n "${WORKERS:-2}" --dist loadgroup
if [ "$extent" = quick ]; then
    set -- "$@" -m "not browser and not drill and not postgres and not slow"
fi
"$python" -m pytest "$@" || failed="$failed tests"

if [ -n "$failed" ]; then
    echo "failed:$failed" >&2
    exit 1
fi
