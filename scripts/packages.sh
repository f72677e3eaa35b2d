#!/bin/sh
# Installs the named tools with apt-get where they are missing. Exit status 1 when one of them is still missing.
# usage: scripts/packages.sh git postgresql chromium prometheus alertmanager redis venv
set -u

present() {
    case $1 in
        postgresql) command -v initdb >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 ;;
        chromium) [ -x /usr/bin/chromium ] ;;
        alertmanager) command -v prometheus-alertmanager >/dev/null 2>&1 || command -v alertmanager >/dev/null 2>&1 ;;
        redis) command -v redis-server >/dev/null 2>&1 ;;
        mariadb) command -v mariadbd >/dev/null 2>&1 ;;
        nginx) [ -x /usr/sbin/nginx ] || command -v nginx >/dev/null 2>&1 ;;
        venv) /usr/bin/python3 -c 'import ensurepip, venv' >/dev/null 2>&1 ;;
        *) command -v "$1" >/dev/null 2>&1 ;;
    esac
}

# Without a font Chromium draws boxes, and without certificates git clones nothing over https.
packages_of() {
    case $1 in
        git) echo git ca-certificates ;;
        chromium) echo chromium fonts-liberation ;;
        alertmanager) echo prometheus-alertmanager ;;
        redis) echo redis-server ;;
        mariadb) echo mariadb-server-core ;;
        nginx) echo nginx-light ;;
        kubectl) echo kubernetes-client ;;
        venv) echo python3-venv ;;
        *) echo "$1" ;;
    esac
}

missing=
packages=
for tool in "$@"; do
    if ! present "$tool"; then
        missing="$missing $tool"
        packages="$packages $(packages_of "$tool")"
    fi
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "set-up: missing:$missing. Only root on Debian can have them installed here: apt-get install$packages" >&2
    exit 1
fi

echo "set-up: installing$packages" >&2
log=$(mktemp)
# Debian starts a server when its package is installed, and tests start their own: while this runs, none is started.
# https://www.debian.org/doc/debian-policy/ch-opersys.html#interfacing-with-init-systems
policy=/usr/sbin/policy-rc.d
ours=
trap 'rm -f "$log" $ours' EXIT
if [ ! -e "$policy" ]; then
    ours=$policy
    printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy"
fi
export DEBIAN_FRONTEND=noninteractive
# $packages is a list of words.
# shellcheck disable=SC2086
if ! { apt-get update -q && apt-get install -q -y --no-install-recommends $packages; } >"$log" 2>&1; then
    tail -n 15 "$log" >&2
fi

status=0
for tool in $missing; do
    if ! present "$tool"; then
        echo "set-up: $tool could not be installed" >&2
        status=1
    fi
done
exit $status
