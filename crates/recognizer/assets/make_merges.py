#!/usr/bin/env python3
"""Writes the vocabularies from those in the package openai-whisper.

    python make_merges.py WHISPER_ASSETS_FOLDER

OpenAI's files list tokens by rank; byte-pair encoding needs to know the two tokens that each one
is merged from. They are found by encoding every token with the lower ranks alone.
"""

import base64
import sys
from pathlib import Path


def byte_alphabet():
    """GPT-2's printable character for each byte, in the order of the first 256 ranks."""
    visible = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [b for b in range(256) if b not in visible]
    return {b: chr(b) for b in visible} | {b: chr(256 + i) for i, b in enumerate(others)}


def pair(token, ranks):
    """The two tokens that `token` is merged from."""
    parts = [bytes([b]) for b in token]
    while len(parts) > 2:
        joined = [a + b for a, b in zip(parts, parts[1:])]
        at = min(range(len(joined)), key=lambda i: ranks.get(joined[i], 1 << 30))
        assert ranks[joined[at]] < ranks[token]
        parts[at : at + 2] = [joined[at]]
    return parts


def main(folder):
    alphabet = byte_alphabet()
    for name in "gpt2", "multilingual":
        lines = Path(folder, f"{name}.tiktoken").read_text().splitlines()
        ranks = {base64.b64decode(token): int(rank) for token, rank in map(str.split, lines)}
        tokens = sorted(ranks, key=ranks.get)
        assert [ranks[token] for token in tokens] == list(range(len(tokens)))
        assert tokens[:256] == [bytes([b]) for b in alphabet]
        # The multilingual vocabulary ends in an empty token, which nothing is merged into.
        merged = [token for token in tokens[256:] if token]
        assert len(merged) == 50000 and tokens[256 : 256 + 50000] == merged
        text = lambda part: "".join(alphabet[b] for b in part)
        merges = (" ".join(map(text, pair(token, ranks))) for token in merged)
        Path(__file__).with_name(f"{name}.merges.txt").write_text("\n".join(merges) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
