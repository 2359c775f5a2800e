#!/usr/bin/env bash
# demo.sh BIN: John F. Kennedy speaks into a microphone, and another process reads along.
#
# Runs at a desk of its own (desk.sh) with the scrivend and scriven of the folder BIN. D-Bus starts the daemon, the daemon
# fetches its model, `scriven listen` shows the signals as they come, and a table of what they cost in time ends it.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
model=${MODEL:-tiny.en}
if [ -z "${SCRIVEN_DESK:-}" ]; then
    SCRIVEN_BIN=$(readlink -f "$1") exec "$here/desk.sh" "$0"
fi
PATH=$SCRIVEN_BIN:$PATH
data=$here/../data
say() { printf '\n\033[1m%s\033[0m\n' "$*"; }

# Models stay from one demo to the next.
mkdir -p "$data/cache/home" && ln -sfn "$data/cache/home" "$XDG_DATA_HOME/scriven"

say "\$ scriven model pull $model"
scriven model pull "$model"
scriven model use "$model"
scriven status

say "\$ scriven listen          (a process of its own; gray text may still change)"
events=$SCRIVEN_DESK/events.jsonl
scriven listen --json >"$events" &
json=$!
scriven listen &
listen=$!
trap 'kill $json $listen 2>/dev/null || true' EXIT
sleep 0.5

# until SECONDS CMD...: asks until it is so.
until_so() {
    local tries=$(($1 * 20))
    shift
    while ! "$@"; do
        [ $((tries--)) -gt 0 ] || return 1
        sleep 0.05
    done
}
listening() { scriven status --json | grep -q '"state":"listening"'; }
quiet() { grep -q '"signal":"Final"' "$events" && tail -n 1 "$events" | grep -q '"signal":"\(Final\|Discarded\)"'; }
ended() { grep -q '"signal":"SessionEnded"' "$events"; }

scriven start >/dev/null
until_so 60 listening || { echo "the microphone does not open" >&2; exit 1; }
pw-play --target virtmic_in "$data/cache/jfk.wav"
until_so 20 quiet || true
scriven stop
until_so 60 ended || { echo "the session does not end" >&2; exit 1; }
kill $listen && wait $listen 2>/dev/null || true

say "What the second process was told"
python3 "$here/../measure/latencies.py" "$events" "$data/jfk.words.tsv"
