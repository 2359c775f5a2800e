#!/usr/bin/env python3
"""event_log.py EVENTS.jsonl WORDS.tsv: how late the words of a live session were, from its event log.

EVENTS.jsonl is what `scriven listen --events FILE` writes, or any other program: a JSON object for each change of what it
shows, `now` and `audio_end` in seconds since the first sample, `committed` and, behind it, `partial`; the last line has
`summary`, `audio`, `cpu_s` and `rss_mb`. WORDS.tsv (word, start, end in seconds) says when each word was spoken.

A word's latency runs from its end in the sound to the first line that has it at its place: in committed or partial text
(partial), in committed text (commit). A word that is shown before it was spoken is a guess, not an early hit. Words that
are never matched are left out; `timed` says how many were not. `missed` are words that the last text lacks, `erased` is how
many words were shown and taken back, for each word of the last text, `retracted` how many committed words were.
"""
import json
import statistics
import sys

from alignment import matches, normalise, read_words


def common(before, after):
    """Words at the start that are the same."""
    return next((n for n, (a, b) in enumerate(zip(before, after)) if a != b), min(len(before), len(after)))


def score(events, words):
    """Mean, median and 95th percentile of latencies in seconds, what was timed, and what it cost."""
    lines = [event for event in events if not event.get("summary")]
    summary = next((event for event in events if event.get("summary")), {})
    reference = [word for word, *_ in words]
    first, commit, erased, shown, kept, retracted = {}, {}, 0, [], [], 0
    for line in lines:
        now, committed = line["now"], normalise(line["committed"])
        visible = normalise(f"{line['committed']} {line['partial']}")
        erased += len(shown) - common(shown, visible)
        retracted += len(kept) - common(kept, committed)
        shown, kept = visible, committed
        heard = sum(start <= now for _, start, _ in words)
        for seen, text in ((first, visible), (commit, committed)):
            for i, _ in matches(reference[:heard], text):
                seen.setdefault(i, now)
    audio = summary.get("audio") or (lines[-1]["audio_end"] if lines else 0)
    return {
        "partial": figures([now - words[i][2] for i, now in first.items()]),
        "commit": figures([now - words[i][2] for i, now in commit.items()]),
        "words": len(reference),
        "missed": len(reference) - len(matches(reference, shown)),
        "erased": erased / max(1, len(shown)),
        "retracted": retracted,
        "cpu": summary["cpu_s"] / audio if summary.get("cpu_s") is not None and audio else None,
        "rss": summary.get("rss_mb"),
        "text": f"{lines[-1]['committed']} {lines[-1]['partial']}".strip() if lines else "",
    }


def figures(latencies):
    if not latencies:
        return {"timed": 0}
    ordered = sorted(latencies)
    p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return {
        "timed": len(ordered),
        "mean": statistics.mean(ordered),
        "median": statistics.median(ordered),
        "p95": p95,
    }


def read(path):
    return [json.loads(line) for line in open(path, encoding="utf-8") if line.startswith("{")]


if __name__ == "__main__":
    print(json.dumps(score(read(sys.argv[1]), read_words(sys.argv[2])), indent=2))
