# SPDX-License-Identifier: GPL-3.0-or-later
# Sourced by tests/run and tests/trixie, after setup.sh: runs tests and keeps, in $logs, how each
# ended for tally.py to sum.

# Forgets what an earlier run left.
begin() {
    mkdir -p "$logs"
    rm -f "$logs"/*.xml "$logs/steps"
}

# step NAME COMMAND...: counts as one test.
step() {
    local name=$1
    shift
    if "$@"; then say "ok      $name"; say "ok $name" >>"$logs/steps"
    else say "FAILED  $name"; say "failed $name" >>"$logs/steps"; return 1; fi
}

show_log() { tail -40 "$logs/build-$1.log" >&2; }
failed_to_run() { say "failed $1" >>"$logs/steps"; }

# Exit status and results are both read: a suite that dies has no failed test to show.
meson_suites() {
    local build=$1 suite
    for suite in unit kernel; do
        meson test -C "$build" --no-rebuild --suite "$suite" --logbase "$suite" --print-errorlogs \
            </dev/null || failed_to_run "meson $suite in $build"
        cp "$build/meson-logs/$suite.junit.xml" "$logs/meson-$build-$suite.xml" \
            || failed_to_run "$suite results of $build"
    done
}

# python_tests NAME ARGUMENT...
python_tests() {
    local name=$1
    shift
    /usr/bin/python3 -m pytest -p no:cacheprovider --import-mode=importlib -q -rfE --durations=8 \
        -o junit_family=xunit1 --junitxml="$logs/$name.xml" "$@" </dev/null || failed_to_run "$name"
}
