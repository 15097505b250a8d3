#!/usr/bin/env bash
# The SDK built from documents in place of the vendor's: `replaced-document.sh`. Needs Python, which makes them.
set -euo pipefail
cd "$(dirname "$0")/.."
vendor=openapi/vendor.json
[[ ! -e $vendor ]] || { echo "$vendor exists: move it away, since documents are written in its place" >&2; exit 1; }
log=$(mktemp)
trap 'rm -f $vendor $log' EXIT

# Makes the document `$1`, and checks the SDK with all features.
build() {
    echo "-- $1${PERENSO_PARTIAL_FACADE:+, without the methods that do not fit}"
    python3 proof/replaced_document.py "$1" $vendor
    cargo check -q -p perenso --all-features &> "$log"
}

# Shows what the last build said, and ends.
fail() {
    cat "$log"
    echo "$1"
    exit 1
}

unset PERENSO_PARTIAL_FACADE
for document in needed exported; do
    build $document || fail "The SDK does not build"
    [[ ! -s $log ]] || fail "No warning is expected"
done
if build other; then fail "Errors are expected"; fi
for method in $(python3 proof/replaced_document.py methods -); do
    grep -qF "error: perenso@0.1.0: \`$method\` needs \`" "$log" || fail "An error for $method is expected"
done
export PERENSO_PARTIAL_FACADE=1
for document in other 1 2 3; do
    build $document || fail "The SDK does not build"
    if grep -q '^warning: [^p]' "$log"; then fail "No warning of the compiler is expected"; fi
done
