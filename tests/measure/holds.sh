#!/usr/bin/env bash
# holds.sh N [AFTER]: holds the key N times while JFK speaks into a virtual microphone, for 2 to 10 seconds, and tells how
# long the final text takes from the moment the key is let go. With AFTER the key is let go that many seconds after the end
# of one of his four phrases, as by somebody who has said it all. See README.md.
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/desk_with_model.sh"
n=${1:-12} after=${2:-}
signals=$SCRIVEN_DESK/holds.jsonl released=$SCRIVEN_DESK/released
scriven listen --json >"$signals" &
listener=$!
trap 'kill $listener' EXIT
until scriven status --json | grep -q '"model_state":"ready"'; do sleep 0.2; done
for i in $(seq "$n"); do
    scriven press >/dev/null
    pw-play --target virtmic_in "$root/tests/data/cache/jfk.wav" &
    player=$!
    # At another place of the speech each time.
    sleep "$(awk -v i="$i" -v n="$n" -v after="$after" 'BEGIN {
        split("2.15 4.30 7.67 10.46", ends, " ")
        print after == "" ? 2 + 8 * (i - 1) / n : ends[i % 4 + 1] + after }')"
    # The clock of the signals.
    python3 -c 'import time; print(time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000)' >>"$released"
    scriven release
    until [ "$(grep -c '"signal":"SessionEnded"' "$signals")" -ge "$i" ]; do sleep 0.1; done
    kill "$player" && wait "$player" 2>/dev/null || true
done
python3 - "$signals" "$released" <<'PY'
import json, statistics, sys
events = [json.loads(line) for line in open(sys.argv[1]) if line.startswith("{")]
ended = [e["received"] for e in events if e["signal"] == "SessionEnded"]
texts = [e["received"] for e in events if e["signal"] in ("Final", "Discarded")]
waits = []
for released, end in zip(map(int, open(sys.argv[2])), ended):
    last = [t for t in texts if t <= end]
    waits.append(max(0, max(last) - released) / 1e6)
waits.sort()
p95 = waits[min(len(waits) - 1, int(0.95 * len(waits)))]
print(f"release to final, s (median, p95, of {len(waits)}): {statistics.median(waits):.2f} {p95:.2f}")
print("all:", " ".join(f"{w:.2f}" for w in waits))
PY
