#!/usr/bin/env bash
# The sandbox against the vendored document, by schemathesis: `short` makes the same requests every time, `long` others
# for so many minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
# The document cannot say which warehouses there are: a customer may name any.
. proof/sandbox.sh 'check_references = false'

case ${1:-short} in
    short) options=(--seed 1 --max-examples 25) ;;
    long) options=(--max-examples 1000 --max-time $((60 * ${2:-5}))) ;;
    *) echo "short or long is expected" >&2 && exit 2 ;;
esac
proof=$PWD/proof document=$PWD/openapi/perenso.json
# It leaves files where it runs.
cd "$scratch"
SCHEMATHESIS_HOOKS=$proof/hooks.py ACCESS_TOKEN=$access_token schemathesis --config-file "$proof/schemathesis.toml" \
    run "$document" --url "$sandbox" "${options[@]}"
