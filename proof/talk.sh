#!/usr/bin/env bash
# Calls every operation of every document of a folder through its generated client, and prints a table: `proof/talk.sh [folder]`.
# The servers are Prism over the document as it is, if it is installed (`cd proof && npm ci`), and the sandbox over the
# normalised one. Each operation is called with all values and with the required ones alone; `read` counts the operations of
# which a response was read. Fails if a request is refused or altered, or a response cannot be read, and prints each reason, those
# of exceptions included. Without a folder, made-up documents are taken.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(realpath "${1:-proof/documents/made-up}")
prism=proof/node_modules/@stoplight/prism-cli/dist/index.js
export CARGO_PROFILE_DEV_DEBUG=none
scratch=$(mktemp -d)
server=
end() {
  [ -z "$server" ] || kill -9 "$server" 2>/dev/null || true
  rm -rf "$scratch"
}
trap end EXIT

echo "| document | server | operations | read | calls | refused | unreadable | altered | exceptions |"
echo "|---|---|---|---|---|---|---|---|---|"
failed=0
for document in "$folder"/*.json "$folder"/*.yaml; do
  [ -e "$document" ] || continue
  name=$(basename "$document")
  if ! DOCUMENT=$document cargo build -q -p perenso-talk 2>"$scratch/build.log"; then
    echo "| $name | not built | | | | | | | |"
    grep -E '^error' -A 6 "$scratch/build.log" | head -40 >&2
    failed=1
    continue
  fi
  addresses=()
  if [ -e "$prism" ]; then
    port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close() })')
    node "$prism" mock "$document" --seed 1 --port "$port" >"$scratch/prism.log" 2>&1 &
    server=$!
    for _ in {1..600}; do
      ! grep -q 'Prism is listening' "$scratch/prism.log" || break
      kill -0 "$server" 2>/dev/null || break
      sleep 0.1
    done
    addresses=("http://127.0.0.1:$port")
  fi
  "${CARGO_TARGET_DIR:-target}/debug/perenso-talk" "${addresses[@]}" >"$scratch/rows" 2>"$scratch/reasons" || failed=1
  sed "s#.*#| $name | & |#" "$scratch/rows"
  sed "s#^#$name: #" "$scratch/reasons" >&2
  # It may be busy with a random response for hours, and no longer listen to signals.
  [ -z "$server" ] || kill -9 "$server" 2>/dev/null || true
  server=
done
exit $failed
