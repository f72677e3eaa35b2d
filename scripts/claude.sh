#!/bin/sh
# Makes .test/claude, the program that the plugin is checked with. Exit status 1 when it cannot be had.
set -u
cd "$(dirname "$0")/.."
# The last one whose package asks for no newer Node.js than Debian 12 has.
wanted=@anthropic-ai/claude-code@2.1.197
made=.test/claude

[ "$(cat "$made/made-for" 2>/dev/null)" = "$wanted" ] && "$made/claude" --version >/dev/null 2>&1 && exit 0

rm -rf "$made"
mkdir -p "$made"
if npm install --prefix "$made" --no-audit --no-fund --ignore-scripts --loglevel=error "$wanted" >.test/claude.log 2>&1; then
    # The program is in a package of its own for each platform; without the installer's script nothing links to it.
    for program in "$made"/node_modules/@anthropic-ai/claude-code-*/claude; do
        if HOME="$made" "$program" --version >/dev/null 2>>.test/claude.log; then
            ln -s "${program#"$made"/}" "$made/claude"
            echo "$wanted" >"$made/made-for"
            exit 0
        fi
    done
fi
tail -n 15 .test/claude.log >&2
rm -rf "$made"
echo "set-up: Claude Code could not be installed: the plugin is not validated" >&2
exit 1
