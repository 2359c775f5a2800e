# Sourced by the measuring scripts: goes on at a desk of its own, with a daemon whose model is ready.
here=$(dirname "$(readlink -f "$0")")
root=$(readlink -f "$here/../..")
if [ -z "${SCRIVEN_DESK:-}" ]; then
    SCRIVEN_BIN=$(readlink -f "${BIN:-${CARGO_TARGET_DIR:-$root/target}/release}") exec "$root/tests/scripts/desk.sh" "$0" "$@"
fi
PATH=$SCRIVEN_BIN:$PATH
model=${MODEL:-tiny.en}
if [ -n "${WEIGHTS:-}" ]; then
    # At this desk alone.
    scriven model import "$model" "$WEIGHTS" >&2
else
    # Models stay from one measurement to the next.
    mkdir -p "$root/tests/data/cache/home" && ln -sfn "$root/tests/data/cache/home" "$XDG_DATA_HOME/scriven"
    scriven model pull "$model" >&2
fi
scriven model use "$model" >&2
