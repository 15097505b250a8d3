# What there is to run; CI calls the same recipes.

default:
    @just --list

# The main job of the README.
quickstart:
    cargo run --example quickstart

# The tests, by the README's own command.
test:
    $(sed -n '/^Run its tests/,/^```$/s/^cargo/cargo/p' README.md)

# Every example, against a sandbox or a stand-in.
examples:
    #!/usr/bin/env bash
    set -euo pipefail
    # Some of them write: never to a show that this environment happens to name.
    unset PERENSO_CLIENT_ID
    # As `just test` has built them already.
    cargo build -q --examples
    for example in perenso priava perspio event_bookings tourpaq custom typed_export customers changes customer bulk vendors \
        attendees export export_to_file errors rate bearer resource faults orders booth; do
        echo "-- $example"
        ${CARGO_TARGET_DIR:-target}/debug/examples/$example > /dev/null
    done
    cargo run -q -p saved-catalog > /dev/null
    cargo run -q -p own-document > /dev/null
    for example in mock shows "parquet -- 50000"; do
        cargo run -q -p perenso --all-features --example $example > /dev/null
    done

# The token layer against `oidc-provider`, an authorization server that is not ours: needs Node.js 20 or later, and npm.
interop:
    cd auth/tests/interop && npm ci
    PERENSO_REQUIRE_INTEROP=1 cargo test -p perenso-auth --test interop

# The files of exports, read by pyarrow, DuckDB, polars, openpyxl, and Python's csv and json.
readback:
    python3 -m venv target/readback && target/readback/bin/pip install -q pyarrow duckdb polars openpyxl
    PERENSO_REQUIRE_READERS=1 PERENSO_PYTHON=$PWD/target/readback/bin/python \
        cargo test -p perenso --all-features --test files readback
    PERENSO_REQUIRE_READERS=1 PERENSO_PYTHON=$PWD/target/readback/bin/python \
        cargo test -p perenso-cli --test commands readback

format:
    cargo fmt --all --check
    cargo fmt --manifest-path fuzz/Cargo.toml --check

lint:
    cargo clippy --workspace --all-targets --all-features -- -D warnings
    cargo clippy --manifest-path fuzz/Cargo.toml --target-dir target --all-targets -- -D warnings

# Every feature alone, none, and all together: the tests that know of features, since the others have run without.
features:
    #!/usr/bin/env bash
    set -euo pipefail
    just feature perenso-auth '""' native-tls redis redis,native-tls redis,rustls registry rustls test-util
    just feature perenso '""' native-tls rustls files mock redis registry parquet xlsx test-util
    just feature perenso-sandbox '""' args cli docs
    just feature perenso-openapi '""' generate yaml
    just feature perenso-cli '""' keyring
    cargo test -p perenso-codegen-compiled -p perenso-openapi-compiled -p saved-catalog -p nightly-sync -p own-document
    cargo test -p perenso-auth --all-features
    tests=$(grep -rl 'cfg(.*feature' tests | sed -E 's#^tests/([^/.]+).*#--test \1#' | sort -u)
    cargo test -p perenso --all-features --lib $tests
    cargo test -p perenso --all-features --doc

# The tests once more while serde_json keeps numbers as digits: a feature that any crate of a user's build can turn on.
arbitrary-precision:
    cargo test -p perenso --features serde_json/arbitrary_precision
    cargo test -p perenso-auth -p perenso-codegen -p perenso-sandbox --features serde_json/arbitrary_precision

# Those of them that read most numbers.
arbitrary-precision-short:
    cargo test -p perenso --features serde_json/arbitrary_precision --lib --test generated --test facade

# One crate with each of these features alone.
feature crate +features:
    for feature in {{ features }}; do \
        cargo clippy -p {{ crate }} --no-default-features --features "$feature" -- -D warnings || exit 1; \
    done

# The documentation as docs.rs builds it: all features, and which of them an item needs. Only rustdoc is let use what is not
# stable, by a script in its place: the variable would have every dependency compiled once more.
doc:
    #!/usr/bin/env bash
    set -euo pipefail
    mkdir -p target
    printf '#!/bin/sh\nRUSTC_BOOTSTRAP=1 exec rustdoc "$@"\n' > target/rustdoc-docsrs
    chmod +x target/rustdoc-docsrs
    RUSTDOC=$PWD/target/rustdoc-docsrs RUSTDOCFLAGS="--cfg docsrs -D warnings" \
        cargo doc -p perenso-auth -p perenso-codegen -p perenso-openapi -p perenso-sandbox -p perenso --no-deps --all-features

# The vendored document, by a validator that is not ours (`pip install openapi-spec-validator`).
document:
    openapi-spec-validator openapi/perenso.json

# The sandbox against the document, by schemathesis (Python): the same requests every time.
schemathesis +form="short":
    python3 -m venv target/schemathesis && target/schemathesis/bin/pip install -q schemathesis==4.32.5
    PATH="$PWD/target/schemathesis/bin:$PATH" proof/schemathesis.sh {{ form }}

# The SDK and the sandbox through Prism, which holds both against the document: needs Node.js 20 or later, and npm.
prism:
    cd proof && npm ci
    proof/prism.sh

# The page of the sandbox in headless Chromium: needs Node.js 20 or later, npm, and Debian's `chromium` (or CHROMIUM).
browser:
    cargo build -p perenso-sandbox
    cd sandbox/tests/browser && npm ci && PERENSO_SANDBOX="${CARGO_TARGET_DIR:-{{ justfile_directory() }}/target}/debug/perenso-sandbox" npm test

# 64 tasks write through random faults for so many seconds, with tokens of two.
soak seconds="600":
    SOAK_SECONDS={{ seconds }} cargo test -p perenso --test soak -- --nocapture

# A minute of it.
soak-short: (soak "60")

# `perenso … load`, killed so often at random moments under faults, and run again: nothing is lost, nothing doubled.
kill kills="1000":
    KILLS={{ kills }} cargo test -p perenso-cli --test kill -- --nocapture

# A minute or two of it.
kill-short: (kill "300")

# Every published crate as it would be uploaded, built from what is in the package. Cargo keeps what it has unpacked of a
# version, and builds against it again when the same version is packaged later at the same path: each run has its own.
package:
    #!/usr/bin/env bash
    set -euo pipefail
    mkdir -p target && target=$(mktemp -d target/package-XXXXXX)
    trap 'rm -rf "$target"' EXIT
    # What is built of others already (nothing was ever packaged there), by the profile that a package does not have.
    export CARGO_PROFILE_DEV_DEBUG=${CARGO_PROFILE_DEV_DEBUG:-line-tables-only}
    mkdir -p "$target/debug"
    for part in .fingerprint build deps; do
        [[ ! -d target/debug/$part ]] || cp -al "target/debug/$part" "$target/debug/$part"
    done
    cargo package --workspace --exclude perenso-bench --exclude perenso-codegen-compiled --exclude perenso-openapi-compiled \
        --exclude saved-catalog --exclude nightly-sync --exclude own-document --exclude perenso-documents \
        --exclude perenso-talk --allow-dirty --target-dir "$target"

# The command as a wheel, as it is given to others.
wheel: (install-wheel "dist")
    #!/usr/bin/env bash
    set -euo pipefail
    size=$(wc -c < target/wheel-user/bin/perenso)
    [[ $size -le 15000000 ]] || { echo "the binary has $size bytes: expected at most 15,000,000"; exit 1; }
    echo "a binary of $size bytes"

# The same by a quick build, whose size says nothing.
wheel-short: (install-wheel "dev")

# A wheel built by maturin, installed into a new virtual environment, and tried against a sandbox.
install-wheel profile:
    #!/usr/bin/env bash
    set -euo pipefail
    python3 -m venv target/maturin && target/maturin/bin/pip install -q 'maturin==1.16.*'
    rm -rf target/wheels target/wheel-user
    target/maturin/bin/maturin build --manifest-path cli/Cargo.toml --profile {{ profile }} --locked --out target/wheels
    python3 -m venv target/wheel-user
    start=$(date +%s%N)
    target/wheel-user/bin/pip install -q --no-index --find-links target/wheels perenso-cli
    rows=$(target/wheel-user/bin/perenso --sandbox --quiet customers list --format jsonl | wc -l)
    milliseconds=$((($(date +%s%N) - start) / 1000000))
    [[ $rows == 45 ]] || { echo "the sandbox has $rows records: expected 45"; exit 1; }
    echo "$(ls target/wheels): $rows records of the sandbox $milliseconds ms after \`pip install\` began"
    [[ $milliseconds -le 60000 ]] || { echo "expected at most 60,000 ms"; exit 1; }

# That the command compiles for Windows: needs rustup and a C compiler (Debian: gcc-mingw-w64-x86-64).
windows:
    rustup target add x86_64-pc-windows-gnu
    cargo check -p perenso-cli --target x86_64-pc-windows-gnu

# The command as an archive for this platform: the binary of the wheel, its README, licences, man pages and completions.
archive: wheel
    #!/usr/bin/env bash
    set -euo pipefail
    binary=target/wheel-user/bin/perenso
    version=$("$binary" --version | cut -d' ' -f2)
    name=perenso-$version-$(rustc -vV | sed -n 's/^host: //p')
    rm -rf "target/archive" && mkdir -p "target/archive/$name/completions"
    cp "$binary" cli/README.md LICENSE-MIT LICENSE-APACHE "target/archive/$name"
    "$binary" man --directory "target/archive/$name/man"
    for shell in bash zsh fish powershell; do
        "$binary" completions $shell > "target/archive/$name/completions/$shell"
    done
    tar -C target/archive -czf "target/archive/$name.tar.gz" "$name"
    ls -l "$binary" "target/archive/$name.tar.gz"

# A client of every document of a folder, generated, compiled, and called against servers made of the document:
# `DOCUMENTS=folder just documents`. Without Node.js 20 and npm, a server less.
documents:
    proof/documents.sh ${DOCUMENTS:-}
    cd proof && npm ci || true
    proof/talk.sh ${DOCUMENTS:-}

# What clients of the same documents cost, by this generator and by two others: `DOCUMENTS=folder just documents-rivals`. Minutes.
documents-rivals:
    proof/rivals.sh "${DOCUMENTS:?}"

# The SDK built from other documents in place of the vendored one, with and without the hand-written methods that do not fit.
replaced-document:
    proof/replaced-document.sh

# Licences, sources and bans of every package, features and all (`cargo install cargo-deny`).
deny:
    cargo deny --workspace check bans licenses sources

# The figures of BENCHMARKS.md: minutes, on a quiet machine. Without Python or Node.js, a rival less.
bench:
    python3 -m venv target/rivals && target/rivals/bin/pip install -q authlib httpx pyarrow || true
    cd proof && npm ci || true
    cargo build --release -p perenso-sandbox
    cargo run --release -p perenso-bench -- --python target/rivals/bin/python --prism proof/node_modules/.bin/prism
    bench/build-cost.sh
    bench/feature-cost.sh
    just bench-command

# The figures of the command `perenso`, against programs in Python. The starts with nothing in memory need root.
bench-command:
    python3 -m venv target/command-rivals && target/command-rivals/bin/pip install -q httpx httpie 'dlt[filesystem,parquet]' XlsxWriter awscli
    cargo build --locked --profile dist -p perenso-cli
    python3 bench/command.py "${CARGO_TARGET_DIR:-target}/dist/perenso" target/command-rivals/bin

# The race of a list call alone, built without Parquet.
bench-race:
    cargo run --release -p perenso-bench --no-default-features -- --race

# The figures of the sandbox alone, against Prism.
bench-sandbox:
    cd proof && npm ci
    cargo build --release -p perenso-sandbox
    cargo run --release -p perenso-bench -- --sandbox --prism proof/node_modules/.bin/prism

# That the benches run: their numbers mean nothing.
bench-short:
    cargo build -p perenso-sandbox
    cargo run -p perenso-bench -- --short

# Property tests and schedules with a hundred times the cases; a million rows in single bytes and slowly; ten minutes of soak,
# five of schemathesis, and a thousand kills; the command at its size.
proof: (soak "600") (schemathesis "long 5") (kill "1000") wheel
    PROPTEST_CASES=200000 SCHEDULES=200000 cargo test --release -p perenso-auth --lib
    PROPTEST_CASES=25600 cargo test --release -p perenso --lib
    ROWS=1000000 cargo test --release -p perenso --test rows
    PROPTEST_CASES=25600 cargo test --release -p perenso-codegen
    PROPTEST_CASES=25600 cargo test --release -p perenso-openapi
    STRANGE_CATALOGS=1000 cargo test -p perenso-codegen-compiled
    just arbitrary-precision
    just replaced-document

# Every fuzz target for so many seconds (`cargo install cargo-fuzz`, and a C++ compiler). No nightly: our code has nothing
# that a sanitizer could find. What made a target fail is printed as base64, to be kept in `fuzz/seeds`.
fuzz seconds="600":
    #!/usr/bin/env bash
    set -euo pipefail
    flags=(--sanitizer none --codegen-units 16)
    cargo fuzz build "${flags[@]}"
    failed=()
    for target in $(cargo fuzz list); do
        mkdir -p "fuzz/corpus/$target"
        echo "-- $target"
        cargo fuzz run "${flags[@]}" "$target" "fuzz/corpus/$target" "fuzz/seeds/$target" -- \
            -dict="fuzz/words/$target" -max_total_time={{ seconds }} -timeout=30 -verbosity=0 -print_final_stats=1 \
            2>&1 | grep -v '# Uses:\|NEW_FUNC\|WARNING: Failed to find' || failed+=("$target")
    done
    for target in "${failed[@]}"; do
        for input in "fuzz/artifacts/$target"/*; do
            echo "$input: $(base64 -w0 "$input")"
        done
    done
    [[ ${#failed[@]} == 0 ]]

# That no fuzz target fails soon.
fuzz-short: (fuzz "5")

# What CI runs.
ci: format lint test interop readback kill-short doc quickstart examples schemathesis prism browser soak-short features arbitrary-precision-short document documents package wheel-short deny fuzz-short bench-short
