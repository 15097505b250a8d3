#!/usr/bin/env bash
# Generates and compiles a client of every document of a folder, and prints a table: `proof/documents.sh [folder]`.
# Fails if a document is not generated or does not compile. Without a folder, the documents of the generator's tests are taken.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(realpath "${1:-generator/tests}")
cargo build -q -p perenso-openapi --features yaml --example normalize
# The dependencies are no part of the CPU seconds below.
cargo check -q -p perenso-documents
echo "| document | operations | generated | lines | parts lost | CPU seconds to check | compiles |"
echo "|---|---|---|---|---|---|---|"
failed=0
for document in "$folder"/*.json "$folder"/*.yaml; do
  [ -e "$document" ] || continue
  name=$(basename "$document")
  if ! row=$("${CARGO_TARGET_DIR:-target}/debug/examples/normalize" "$document" --row); then
    echo "| $name | not generated | | | | | no |"
    failed=1
    continue
  fi
  compiles=yes
  seconds=$({ TIMEFORMAT='%U %S'; time DOCUMENT=$document cargo check -q -p perenso-documents 2>"${CARGO_TARGET_DIR:-target}/documents.log"; } 2>&1) || compiles=no
  echo "| $name | $row | $(awk '{ print $1 + $2 }' <<<"$seconds") | $compiles |"
  if [ "$compiles" = no ]; then
    failed=1
    grep -E '^error' -A 6 "${CARGO_TARGET_DIR:-target}/documents.log" | head -40 >&2
  fi
done
exit $failed
