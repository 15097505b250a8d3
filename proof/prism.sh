#!/usr/bin/env bash
# The contract tests and the examples through Prism, which checks every request and every answer against the vendored
# document. Token requests go to the sandbox itself.
set -euo pipefail
cd "$(dirname "$0")/.."
. proof/sandbox.sh

# What the document does not describe cannot be checked against it.
examples=()
for file in examples/*.rs; do
    if grep -q 'environment::show\|Perenso::from_env' "$file" && ! grep -q '/Warehouse' "$file"; then
        examples+=("$(basename "$file" .rs)")
    fi
done
cargo build -q -p perenso "${examples[@]/#/--example=}"
cargo test -q -p perenso --test contract --no-run

log=$scratch/prism.log
: >"$log"
port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close() })')
node proof/node_modules/@stoplight/prism-cli/dist/index.js \
    proxy openapi/perenso.json "$sandbox" --errors --port "$port" >>"$log" 2>&1 &
ended+=($!)
for _ in {1..300}; do
    grep -q 'Prism is listening' "$log" && break
    sleep 0.1
done
proxy=http://127.0.0.1:$port

# Prism's marks of errors and warnings: violations, and calls that it answered itself.
marks='✖|⚠'
fail() {
    echo "$1" >&2
    exit 1
}
call() {
    curl -sS -o "$scratch/answer" -H "Authorization: Bearer $access_token" "$@"
}
# Whether the calls since the last time were good. The log lags behind: it has them all once it has a call of ours.
good() {
    local last=last-$RANDOM
    call "$proxy/Customer/$last"
    for _ in {1..200}; do
        ! grep -q "$last has returned" "$log" || break
        sleep 0.05
    done
    cp "$log" "$scratch/calls"
    : >"$log"
    grep -q "$last has returned" "$scratch/calls" || fail "Prism has stopped"
    ! grep -E "$marks" "$scratch/calls"
}

# First that it sees what is wrong, in a request and in an answer.
call "$proxy/Customer?page=1"
good || fail "Prism refuses a good call"
for broken in '?page=0' '?sort=customerID' '?modifiedAfter=yesterday'; do
    call "$proxy/Customer$broken"
    ! good >/dev/null || fail "Prism lets a request pass: $broken"
done
for broken in '{"status": 200, "body": [{"customerID": 5000}]}' '{"status": 418, "body": {}}'; do
    call -H "Sandbox-Fault: $broken" "$proxy/Customer"
    ! good >/dev/null || fail "Prism lets an answer pass: $broken"
done

export PERENSO_API_URL=$proxy
cargo test -q -p perenso --test contract
for example in "${examples[@]}"; do
    arguments=()
    [[ $example != booth ]] || arguments=(BOOTH0001 PROD0001 PROD0002)
    "${CARGO_TARGET_DIR:-target}/debug/examples/$example" "${arguments[@]}" >"$scratch/output" 2>&1 ||
        fail "$example: $(cat "$scratch/output")"
done
good || fail "Prism found violations"
calls=$(grep -c 'Received forward response' "$scratch/calls")
echo "Prism has checked $calls calls, of the contract tests and of: ${examples[*]}"
((calls > 50)) || fail "that is too few"
