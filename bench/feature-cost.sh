#!/usr/bin/env bash
# Prints the crates and the CPU seconds of a clean debug build of `perenso` for each feature. Takes minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cargo fetch --quiet

crates() {
  cargo tree -p perenso --no-default-features --features "$1" -e normal,build --prefix none | sed 's/ (.*//' | sort -u | wc -l
}

cpu_seconds() {
  local TIMEFORMAT='%U %S' spent
  spent=$({ time CARGO_INCREMENTAL=0 CARGO_TARGET_DIR="$scratch/target" cargo build --quiet -p perenso \
    --no-default-features --features "$1" 2>"$scratch/log"; } 2>&1) || { cat "$scratch/log" >&2; exit 1; }
  rm -rf "$scratch/target"
  echo "$spent" | tail -n 1 | awk '{ printf "%.0f", $1 + $2 }'
}

echo "| features | crates | CPU seconds |"
echo "|---|---|---|"
for features in "" rustls native-tls files,rustls parquet,rustls xlsx,rustls mock,files,rustls registry,files,rustls redis,files,rustls; do
  echo "| \`${features:-none}\` | $(crates "$features") | $(cpu_seconds "$features") |"
done
