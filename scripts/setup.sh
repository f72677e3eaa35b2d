#!/bin/sh
# Brings a checkout to the point where `run`, `dev` or `test` can start: a Python, the system's packages, .venv.
set -eu
cd "$(dirname "$0")/.."
purpose=${1:?"usage: scripts/setup.sh run|dev|test"}

fail() {
    echo "set-up: $*" >&2
    exit 1
}

new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    for candidate in ${PYTHON:-} python3 python3.13 python3.12 python3.11 python3.14 python; do
        if new_enough "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}

python=$(find_python) || fail "Python 3.11 or newer is needed; install it, or name it: make PYTHON=/path/to/python3 ..."

# Debian takes venv and ensurepip out of its Python; the module `venv` alone is there and then fails half-way.
if [ ! -x .venv/bin/python ] && ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
    scripts/packages.sh venv || true
    "$python" -c 'import ensurepip, venv' >/dev/null 2>&1 ||
        fail "$python cannot make virtual environments (no ensurepip); on Debian: apt-get install python3-venv"
fi

case $purpose in
    run) scripts/packages.sh git || fail "the drill deploys from a git repository: install git" ;;
    dev) ;;
    test) scripts/packages.sh git postgresql mariadb nginx kubectl chromium prometheus alertmanager redis npm ||
        echo "set-up: tests that need what is missing are skipped, or fail where CI=true" >&2 ;;
    *) fail "unknown purpose $purpose: run, dev or test" ;;
esac

case $purpose in
    run) exec "$python" scripts/venv.py run ;;
    dev) exec "$python" scripts/venv.py dev ;;
    test)
        scripts/synapse.sh "$python" || true
        scripts/claude.sh || true
        scripts/sentry_mcp.sh || true
        exec "$python" scripts/venv.py dev
        ;;
esac
