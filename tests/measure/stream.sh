#!/usr/bin/env bash
# stream.sh OUT_DIR FILE...: streams each recording at the speed of life and keeps what a client saw. See README.md.
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/desk_with_model.sh"
out=$1
shift
mkdir -p "$out"
for file in "$@"; do
    name=$out/$(basename "${file%.*}")
    scriven listen --json >"$name.signals.jsonl" &
    signals=$!
    scriven listen --events "$name.events.jsonl" >/dev/null &
    events=$!
    sleep 0.5
    scriven transcribe --live --scope broadcast ${LANGUAGE_SPOKEN:+--language "$LANGUAGE_SPOKEN"} "$file"
    wait "$events"
    kill "$signals" && wait "$signals" || true
done
