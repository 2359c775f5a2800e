#!/usr/bin/env python3
"""score.py MANIFEST OUT.tsv: word error rate by language and kind, and words invented where nobody spoke.

Both texts go through Whisper's normaliser first; Chinese, Japanese and Korean are compared by character.
Needs: pip install jiwer whisper-normalizer
"""
import collections
import csv
import sys

import jiwer
from whisper_normalizer.basic import BasicTextNormalizer
from whisper_normalizer.english import EnglishTextNormalizer

ENGLISH, BASIC = EnglishTextNormalizer(), BasicTextNormalizer()


def table(path, **options):
    return csv.DictReader(open(path, encoding="utf-8"), delimiter="\t", quoting=csv.QUOTE_NONE, **options)


def normalise(text, language):
    text = ENGLISH(text) if language == "en" else BASIC(text)
    return " ".join(text.replace(" ", "")) if language in ("zh", "ja", "ko") else text


def main():
    heard = {row["id"]: row["text"] or "" for row in table(sys.argv[2], fieldnames=["id", "text"])}
    pairs, invented, silent = collections.defaultdict(list), 0, 0
    for row in table(sys.argv[1]):
        if row["id"] not in heard:
            continue
        if row["kind"] == "nonspeech":
            silent += 1
            invented += len(heard[row["id"]].split())
        elif reference := normalise(row["transcript"], row["language"]):
            pair = reference, normalise(heard[row["id"]], row["language"])
            for key in ((row["language"], row["kind"]), ("all", "")):
                pairs[key].append(pair)
    print(f"{'language':9}{'kind':24}{'clips':>6}{'words':>7}{'WER %':>8}  substituted, deleted, inserted")
    for (language, kind), rows in sorted(pairs.items(), key=lambda item: (item[0][0] == "all", item[0])):
        score = jiwer.process_words([said for said, _ in rows], [text for _, text in rows])
        words = score.hits + score.substitutions + score.deletions
        print(f"{language:9}{kind:24}{len(rows):6}{words:7}{100 * score.wer:8.2f}  "
              f"{score.substitutions}, {score.deletions}, {score.insertions}")
    print(f"{invented} words invented in {silent} recordings without speech")


if __name__ == "__main__":
    main()
