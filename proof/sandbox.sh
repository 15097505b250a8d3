# Starts a sandbox on a free port, to be sourced: the environment names it then as `Perenso::from_env` reads it. It ends
# with the script that sourced this, in whatever way that ends. Arguments are lines of its behavior.
cargo build -q -p perenso-sandbox
scratch=$(mktemp -d)
ended=()
end() {
    kill "${ended[@]}" 2>/dev/null || true
    rm -rf "$scratch"
}
trap end EXIT

# Calls come faster than a show takes them, and one token serves all of them.
printf '%s\n' 'rate = "none"' 'token_lifetime = 36000' "$@" >"$scratch/behavior.toml"
mkfifo "$scratch/ready"
"${CARGO_TARGET_DIR:-target}/debug/perenso-sandbox" --behavior "$scratch/behavior.toml" >"$scratch/ready" &
ended+=($!)
read -r line <"$scratch/ready"
for pair in ${line#ready }; do
    case $pair in
        url=*) export PERENSO_API_URL=${pair#*=} ;;
        token_url=*) export PERENSO_TOKEN_URL=${pair#*=} ;;
        client_id=*) export PERENSO_CLIENT_ID=${pair#*=} ;;
        client_secret=*) export PERENSO_CLIENT_SECRET=${pair#*=} ;;
    esac
done
sandbox=$PERENSO_API_URL
access_token=$(curl -fsS -u "$PERENSO_CLIENT_ID:$PERENSO_CLIENT_SECRET" -d grant_type=client_credentials \
    "$PERENSO_TOKEN_URL" | sed -E 's/.*"access_token" *: *"([^"]*)".*/\1/')
