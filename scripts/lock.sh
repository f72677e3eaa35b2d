#!/bin/sh
# Writes the lock files again; arguments go to `uv pip compile`, for instance `--upgrade` or `--upgrade-package NAME`.
# The lower bound of Python is named so that one file serves every version from there on, with markers where they differ.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
uv=$(command -v uv) || {
    "${PYTHON:-python3}" -m venv "$work/venv"
    "$work/venv/bin/pip" install -qq uv
    uv=$work/venv/bin/uv
}

compile() {
    "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-header --no-emit-index-url --no-emit-find-links "$@"
}

compile pyproject.toml --output-file requirements.lock "$@"
sed -n 's/^requires = \["\(.*\)"\]$/\1/p' pyproject.toml >"$work/build.in"
compile "$work/build.in" --no-annotate --output-file requirements-build.lock "$@"
compile pyproject.toml --group dev --constraints requirements.lock --constraints requirements-build.lock \
    --output-file requirements-dev.lock "$@"
