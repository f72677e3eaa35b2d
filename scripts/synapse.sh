#!/bin/sh
# Makes .test/synapse, an environment with the Matrix server that tests talk to. Exit status 1 when it cannot be had.
# usage: scripts/synapse.sh PYTHON
set -u
cd "$(dirname "$0")/.."
python=${1:?"usage: scripts/synapse.sh PYTHON"}
wanted=matrix-synapse==1.163.2
made=.test/synapse

[ "$(cat "$made/made-for" 2>/dev/null)" = "$wanted" ] && "$made/bin/python" -c '' 2>/dev/null && exit 0

rm -rf "$made"
mkdir -p .test
if "$python" -m venv "$made" >.test/synapse.log 2>&1 &&
    "$made/bin/python" -m pip install --quiet --disable-pip-version-check "$wanted" >>.test/synapse.log 2>&1; then
    echo "$wanted" >"$made/made-for"
    exit 0
fi
tail -n 15 .test/synapse.log >&2
rm -rf "$made"
echo "set-up: Synapse could not be installed: the tests against a real Matrix room are skipped" >&2
exit 1
