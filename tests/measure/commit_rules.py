#!/usr/bin/env python3
"""commit_rules.py MANIFEST EVENTS_DIR [SURE,GUARD,UNSURE_GUARD,UNSURE_WAIT ...]: what rules would have committed, and at what price.

EVENTS_DIR is what `evaluate MANIFEST MODEL live events=EVENTS_DIR words=true believed=0 end_guard=1000 unsure_guard=1000
settled=1000000` leaves: all hypotheses of a recognizer that commits nothing before the end of an utterance. For each rule,
in the numbers of `CommitRule`, it is replayed what two hypotheses in a row would have committed, and when; the last
hypothesis gives the words behind. That the next hypotheses would have begun with the committed words is left out.

Then: how well its probability tells whether a word will stay, of those heard twice or more that ended 0.3 to 1.5 s ago.
Needs: pip install jiwer whisper-normalizer
"""
import collections
import difflib
import itertools
import json
import pathlib
import statistics
import sys

import jiwer

from score import normalise, table

RULES = ["0.6,0.35,1,0.8", "0.9,0.35,1,0.8", "0.9,0.7,1,0.8", "0,1,1,0", "0,2,2,0", "0,3,3,0"]

Word = collections.namedtuple("Word", "text start end probability")


def letters(text):
    return "".join(text.split()).lower()


def utterances(path):
    """For each, its steps: now, the words, and since when each has been heard with all before it."""
    lines = [line for line in map(json.loads, open(path, encoding="utf-8")) if "words" in line]
    for _, steps in itertools.groupby(lines, key=lambda line: line["utterance"]):
        found, before, since = [], [], []
        for step in steps:
            words = [Word(*word) for word in step["words"]]
            pairs = enumerate(zip(words, before))
            agreed = next((n for n, (a, b) in pairs if letters(a.text) != letters(b.text)), min(len(words), len(before)))
            since = since[:agreed] + [step["now"]] * (len(words) - agreed)
            found.append((step["now"], words, since))
            before = words
        yield found


def behind(committed, words):
    """The words behind the committed ones: where the fewest letters differ."""
    said, row, ends = letters("".join(word.text for word in committed)), [], [0]
    heard = letters("".join(word.text for word in words))
    for word in words:
        ends.append(ends[-1] + len(letters(word.text)))
    row = list(range(len(heard) + 1))
    for i, letter in enumerate(said, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            diagonal, row[j] = row[j], min(diagonal + (letter != other), row[j] + 1, row[j - 1] + 1)
    last = committed[-1].end if committed else 0
    return words[min(range(len(ends)), key=lambda n: (row[ends[n]], abs((words[n - 1].end if n else 0) - last))):]


def replay(steps, rule):
    """The text that a rule would have given, and how long after its end each word would have been committed."""
    sure, guard, unsure_guard, unsure_wait = rule
    committed, waits = [], []
    for now, words, since in steps[:-1]:
        due = 0
        for word, heard in zip(words[:-1], since):
            is_sure = word.probability >= sure
            waited = now - heard >= (0 if is_sure else unsure_wait) and heard < now
            if not waited or word.end > now - (guard if is_sure else unsure_guard):
                break
            due += 1
        fresh = behind(committed, words[:due]) if due > len(committed) else []
        waits += [now - word.end for word in fresh]
        committed += fresh
    now, words, _ = steps[-1]
    rest = behind(committed, words)
    return "".join(word.text for word in committed + rest), waits + [now - word.end for word in rest]


def belief(steps):
    """Probabilities of words, and whether the last hypothesis still has them."""
    last = [letters(word.text) for word in steps[-1][1]]
    for now, words, since in steps[:-1]:
        blocks = difflib.SequenceMatcher(None, [letters(word.text) for word in words], last, autojunk=False).get_matching_blocks()
        kept = {block.a + i for block in blocks for i in range(block.size)}
        for i, (word, heard) in enumerate(zip(words[:-1], since)):
            if heard < now and 0.3 <= now - word.end <= 1.5 and any(c.isalnum() for c in word.text):
                yield word.probability, i in kept


def area(pairs):
    """Area under the curve: how often one that stays is more probable than one that goes."""
    ranks, goes, stays_above = sorted(pairs), 0, 0
    for _, stays in ranks:
        goes += not stays
        stays_above += goes if stays else 0
    return stays_above / (goes * (len(ranks) - goes))


def main():
    rows = [row for row in table(sys.argv[1]) if (pathlib.Path(sys.argv[2]) / f"{row['id']}.jsonl").exists()]
    rows = [row for row in rows if row["kind"] != "nonspeech"]
    heard = {row["id"]: list(utterances(pathlib.Path(sys.argv[2]) / f"{row['id']}.jsonl")) for row in rows}
    said = [normalise(row["transcript"], row["language"]) for row in rows]
    texts = {}
    print(f"{'sure, guard, unsure guard, wait':34}{'the last text':>14}{'WER %':>8}{'commit s':>10}{'p95':>7}")
    for rule in ["0,1000,1000,0", *(sys.argv[3:] or RULES)]:
        played = {id: [replay(steps, list(map(float, rule.split(",")))) for steps in heard[id]] for id in heard}
        texts[rule] = [normalise(" ".join(text for text, _ in played[row["id"]]), row["language"]) for row in rows]
        waits = sorted(wait for replays in played.values() for _, some in replays for wait in some)
        alike = sum(a == b for a, b in zip(texts[rule], texts["0,1000,1000,0"])) / len(rows)
        print(f"{rule:34}{100 * alike:13.0f}%{100 * jiwer.process_words(said, texts[rule]).wer:8.2f}"
              f"{statistics.mean(waits):10.2f}{waits[int(0.95 * len(waits))]:7.2f}")
    pairs = [pair for some in heard.values() for steps in some for pair in belief(steps)]
    gone = 100 * statistics.mean(not stays for _, stays in pairs)
    print(f"{len(pairs)} words, of which {gone:.1f} % do not stay; area under the curve of the probability {area(pairs):.3f}")


if __name__ == "__main__":
    main()
