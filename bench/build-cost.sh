#!/usr/bin/env bash
# Measures the CPU seconds of a clean debug build of the SDK, over those of its runtime dependencies alone.
# The rival is the same workspace with empty crates and without the build script.
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

for crate in $(sed -n 's/^members = \[\(.*\)\]$/\1/p' Cargo.toml | tr -d '",'); do
  mkdir -p "$scratch/bare/$crate/src"
  touch "$scratch/bare/$crate/src/lib.rs"
  sed -e '/^readme = /d' -e '/^build = /d' -e '/^\[\[/,/^$/d' "$crate/Cargo.toml" >"$scratch/bare/$crate/Cargo.toml"
done
cp Cargo.lock "$scratch/bare"
sed -i '/^\[build-dependencies\]/,/^$/d' "$scratch/bare/Cargo.toml"
cargo fetch --quiet

cpu_seconds() {
  local TIMEFORMAT='%U %S' spent
  spent=$({ time CARGO_TARGET_DIR="$scratch/target-$2" cargo build --quiet --manifest-path "$1" -p perenso 2>"$scratch/log"; } 2>&1) \
    || { cat "$scratch/log" >&2; exit 1; }
  echo "$spent" | tail -n 1 | awk '{ printf "%.1f", $1 + $2 }'
}

whole=$(cpu_seconds Cargo.toml whole)
bare=$(cpu_seconds "$scratch/bare/Cargo.toml" bare)
echo "| what | ours | rival | over it | bound | met |"
echo "|---|---|---|---|---|---|"
echo "$whole $bare" | awk '{
  printf "| clean debug build: CPU | %.0f s | the runtime dependencies alone: %.0f s | %.0f s | at most 40 | %s |\n", \
    $1, $2, $1 - $2, ($1 - $2 <= 40 ? "yes" : "no")
}'
