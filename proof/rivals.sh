#!/usr/bin/env bash
# Generates and compiles a client of every JSON document of a folder by this generator, by progenitor alone and by
# openapi-to-rust, and prints a table: `proof/rivals.sh <folder>`. Each cell is the CPU seconds and the memory of the compiler for
# the client alone. Needs GNU time; installs `openapi-to-rust` below `target`.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(realpath "$1")
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
export CARGO_TARGET_DIR=$target CARGO_INCREMENTAL=0
work=$target/rivals-of-documents
rival=$work/bin/openapi-to-rust
[ -x "$rival" ] || cargo install -q openapi-to-rust --version 0.23.0 --locked --root "$work"
cargo build -q -p perenso-openapi --features yaml --example progenitor
progenitor=$target/debug/examples/progenitor

# Checks the package in a folder, and prints the cost of its client, or why there is none.
cost() { # folder
  if ! (cd "$1" && cargo check -q 2>"$work/log"); then
    echo "does not compile"
    return
  fi
  touch "$1/src/lib.rs"
  (cd "$1" && /usr/bin/time -o "$work/time" -f '%U %S %M' cargo check -q 2>"$work/log")
  awk '{ printf "%.1f s, %.0f MB", $1 + $2, $3 / 1024 }' "$work/time"
}

# Creates a package with the dependencies on its standard input.
package() { # name
  mkdir -p "$work/$1/src"
  { printf '[package]\nname = "%s"\nversion = "0.0.0"\nedition = "2024"\n[workspace]\n' "$1"; cat; } >"$work/$1/Cargo.toml"
}

package rival-progenitor <<'DEPENDENCIES'
[dependencies]
progenitor-client = "0.15"
reqwest = { version = "0.13", default-features = false, features = ["json", "stream", "query", "form", "multipart"] }
serde = { version = "1", features = ["derive"] }
serde_json = "1"
bytes = "1"
chrono = { version = "0.4", default-features = false, features = ["std", "serde"] }
futures = "0.3"
uuid = { version = "1", features = ["serde"] }
regress = "0.10"
rand = "0.9"
DEPENDENCIES

by_progenitor() { # document, option
  # shellcheck disable=SC2086
  if "$progenitor" "$1" ${2:-} >"$work/rival-progenitor/src/lib.rs" 2>"$work/log"; then
    cost "$work/rival-progenitor"
  else
    echo "not generated"
  fi
}

by_openapi_to_rust() { # document
  rm -rf "$work/rival-openapi-to-rust/src"
  mkdir -p "$work/rival-openapi-to-rust/src"
  cp "$1" "$work/document.json"
  local made="$work/rival-openapi-to-rust/src/api"
  if "$rival" generate "$work/document.json" --output-dir "$made" --module-name api >"$work/log" 2>&1; then
    package rival-openapi-to-rust <"$made/REQUIRED_DEPS.toml"
    echo 'pub mod api;' >"$work/rival-openapi-to-rust/src/lib.rs"
    cost "$work/rival-openapi-to-rust"
  else
    echo "not generated"
  fi
}

echo "| document | this generator | progenitor alone | progenitor over the normalised document | openapi-to-rust |"
echo "|---|---|---|---|---|"
for document in "$folder"/*.json; do
  ours=$(DOCUMENT=$document cost proof/documents)
  echo "| $(basename "$document") | $ours | $(by_progenitor "$document") | $(by_progenitor "$document" --normalized) |" \
    "$(by_openapi_to_rust "$document") |"
done
