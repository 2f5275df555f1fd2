# SPDX-License-Identifier: GPL-3.0-or-later
# Sourced by tests/run and tests/demo: what both need before they can begin.

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
logs=$repository/build/test-logs
export DEBIAN_FRONTEND=noninteractive PYTHONDONTWRITEBYTECODE=1 LC_ALL=C.UTF-8

say() { printf '%s\n' "$*"; }
die() { printf '%s\n' "$*" >&2; exit 1; }

require_root() {
    [ "$(id -u)" = 0 ] || die "This makes network namespaces: run it as root (sudo $0)."
    [ "$(uname -s)" = Linux ] || die "This needs Linux."
    [ -c /dev/net/tun ] || die "There is no /dev/net/tun: tunnels cannot be made here."
}

# The Debian packages of tests/packages that are not there yet; updates the lists only then.
install_packages() {
    local missing
    missing=$(while read -r package; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || say "$package"
    done <"$repository/tests/packages")
    [ -n "$missing" ] || return 0
    say "Installing: $(echo $missing)"
    mkdir -p "$logs"
    {
        # A service that starts by itself would change this machine's network.
        printf '#!/bin/sh\nexit 101\n' >"$logs/policy-rc.d"
        chmod 755 "$logs/policy-rc.d"
        [ -e /usr/sbin/policy-rc.d ] || { cp "$logs/policy-rc.d" /usr/sbin/policy-rc.d; ours=yes; }
        apt-get update && apt-get install -y --no-install-recommends $missing
        status=$?
        [ "${ours:-}" != yes ] || rm -f /usr/sbin/policy-rc.d
    } >"$logs/apt.log" 2>&1 </dev/null
    [ "$status" = 0 ] || die "$(tail -5 "$logs/apt.log")" "The packages could not be installed."
}

# build DIRECTORY COMPILER [OPTION...]: configures once and compiles; warnings are errors.
build() {
    local directory=$1 compiler=$2
    shift 2
    mkdir -p "$logs"
    local log=$logs/build-$(basename "$directory").log
    {
        if [ -e "$directory/build.ninja" ]; then meson configure -Dwerror=true "$directory"
        else CC=$compiler meson setup --prefix=/usr -Dwerror=true "$@" "$directory" "$repository"; fi \
            && ninja -C "$directory"
    } >"$log" 2>&1 </dev/null
}

# clang, both sanitisers, and the marks by which a fuzzer sees where it has been.
build_sanitize() {
    build build-sanitize clang -Db_sanitize=address,undefined -Db_lundef=false \
        -Dc_args=-fsanitize=fuzzer-no-link
}
