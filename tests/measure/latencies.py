#!/usr/bin/env python3
"""latencies.py EVENTS.jsonl [WORDS.tsv]: what a dictation cost in time, from the signals that a client received.

EVENTS.jsonl is what `scriven listen --json` wrote. WORDS.tsv (word, start, end in seconds, a line each) says when each
word was spoken in the recording. A file session begins with the recording; where a recording that was played into a
microphone lies in its session is found by comparing it with the word times of the finals. Without WORDS.tsv those word
times themselves are the reference.

A word's latency runs from its end in the sound to the arrival of the first signal that has it at its place: in committed
or tentative text (partial), in committed text or a final (commit). Words that are never matched are counted, not timed.
"""
import json
import statistics
import sys

from alignment import matches, normalise, read_words

# Seconds by which Whisper's attention puts a word later than PocketSphinx does: the median over jfk.wav as a file session.
ATTENTION_LAG = 0.11


def figures(latencies):
    if not latencies:
        return "none"
    ordered = sorted(latencies)
    p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return f"{statistics.mean(ordered):5.2f} {statistics.median(ordered):5.2f} {p95:5.2f}"


events = [json.loads(line) for line in open(sys.argv[1]) if line.startswith("{")]
of = lambda *names: [e for e in events if e["signal"] in names]
session = of("SessionStarted")[0]["info"]
zero = session["monotonic"]
finals, ended = of("Final"), of("SessionEnded")
spoken = [(n, start / 1e6, end / 1e6) for e in finals for w, start, end, _ in e["info"]["words"] for n in normalise(w)]
words = spoken
if len(sys.argv) > 2:
    words = read_words(sys.argv[2])
    pairs = matches([w for w, *_ in words], [w for w, *_ in spoken])
    played = session["mode"] == "dictation" and pairs
    shift = statistics.median(spoken[j][2] - words[i][2] for i, j in pairs) - ATTENTION_LAG if played else 0.0
    words = [(w, start + shift, end + shift) for w, start, end in words]

reference = [w for w, *_ in words]
first, commit, first_text = {}, {}, None
done = ""
for event in of("Partial", "Final"):
    now = (event["received"] - zero) / 1e6
    if event["signal"] == "Final":
        committed = shown = done = f"{done} {event['text']}"
    else:
        committed = f"{done} {event['committed']}"
        shown = f"{committed} {event['tentative']}"
    if first_text is None and normalise(shown):
        first_text = now
    # A word that is shown before it was spoken is a guess, not an early hit.
    heard = sum(start <= now for _, start, _ in words)
    for seen, text in ((first, shown), (commit, committed)):
        for i, _ in matches(reference[:heard], normalise(text)):
            seen.setdefault(i, now)

line = lambda what, value: print(f"  {what:<44} {value}")
line("first text after the first word began, s", f"{first_text - words[0][1]:5.2f}" if first_text and words else "none")
line("word to partial, s (mean, median, p95)", figures([now - words[i][2] for i, now in first.items()]))
line("word to committed, s (mean, median, p95)", figures([now - words[i][2] for i, now in commit.items()]))
line("words timed", f"{len(first)} partial, {len(commit)} committed, of {len(reference)}")
if finals and words:
    line("end of speech to the last final, s", f"{(finals[-1]['received'] - zero) / 1e6 - words[-1][2]:5.2f}")
line("signals", f"{len(of('Partial'))} partial, {len(finals)} final, {len(of('Discarded'))} discarded")
if ended:
    stats = ended[-1]["stats"]
    line("CPU seconds for a second of sound", f"{stats['cpu'] / stats['audio']:5.2f}")
    line("memory of the daemon, MB", f"{stats['rss'] / 1e6:5.0f}")
    line("samples lost", stats["overruns"])
