# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
# Completion of bulkheadctl for bash. What is not a word of its own is asked for with
# --no-ask-password.

# The strings of a member, one a line: bulkheadctl VERB... --json prints an object on one line.
_bulkheadctl_members() {
    local member=$1
    shift
    bulkheadctl "$@" --json --no-ask-password 2>/dev/null |
        grep -o "\"$member\":\"[^\"]*\"" | cut -d'"' -f4
}

# Offers those lines of $1 that begin with $2. Names of tunnels and links are other people's text:
# compgen -W would expand a $(command) in them, and so would the command line without %q.
_bulkheadctl_offer() {
    local line
    COMPREPLY=()
    while read -r line; do
        [[ -n $line && $line == "$2"* ]] && COMPREPLY+=("$(printf %q "$line")")
    done <<<"$1"
}

# The value of the option before the word; fails when that is no option with a value.
_bulkheadctl_value() {
    local lines=
    case $1 in
    --cgnat | --port-mapping) lines=$'on\noff' ;;
    --protocol) lines=$'any\ntcp\nudp\nicmp' ;;
    --kind) lines=$'wireguard\nopenvpn\nother' ;;
    --user) lines=$(compgen -u) ;;
    --interface) lines=$(ls /sys/class/net) ;;
    --file)
        compopt -o filenames 2>/dev/null # which quotes by itself
        mapfile -t COMPREPLY < <(compgen -f -- "$2")
        return
        ;;
    --endpoint | --mark | --port | --limit | --wait) ;;
    *) return 1 ;;
    esac
    _bulkheadctl_offer "$lines" "$2"
}

_bulkheadctl() {
    local current=$2 previous=$3 word words=() i
    _bulkheadctl_value "$previous" "$current" && return
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        [[ $word == -* ]] || words+=("$word")
    done

    local options=$'--json\n--no-ask-password\n--help' arguments=
    case "${words[*]:0:2}" in
    '')
        options+=$'\n--version'
        arguments=$'status\nlock\nunlock\npause\nresume\nready\nverify\nrules\ntunnels\nlan\nboot\nexcept\nauthorize\nrevoke\ngrants\nblocked\nlog\nrescue'
        ;;
    status) options+=$'\n--watch\n--check' ;;
    lock) options+=$'\n--yes' ;;
    ready) options+=$'\n--wait' ;;
    log) options+=$'\n--limit' ;;
    revoke) arguments=$(_bulkheadctl_members name grants) ;;
    pause) arguments=$'5m\n10m\n1h' ;;
    tunnels) arguments=$'list\nadd\ntrust\nforget' ;;
    'tunnels add') options+=$'\n--interface\n--endpoint\n--mark\n--user\n--kind' ;;
    'tunnels trust' | 'tunnels forget') arguments=$(_bulkheadctl_members id tunnels) ;;
    lan | boot) arguments=$'on\noff' ;;
    'lan on' | 'lan off') options+=$'\n--cgnat\n--port-mapping' ;;
    except) arguments=$'add\nremove\nlist' ;;
    'except add' | 'except remove') options+=$'\n--protocol\n--port\n--file' ;;
    esac
    if [[ $current == -* ]]; then
        _bulkheadctl_offer "$options" "$current"
    else
        _bulkheadctl_offer "$arguments" "$current"
    fi
}

complete -F _bulkheadctl bulkheadctl
