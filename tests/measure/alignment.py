"""Words of a reference in what was shown."""
import re


def normalise(text):
    return re.sub(r"[^\w\s']", " ", text.lower()).split()


def read_words(path):
    """Word, start and end in seconds, of each word of a reference."""
    rows = [line.split("\t") for line in open(path, encoding="utf-8") if not line.startswith("#")]
    return [(n, float(start), float(end)) for word, start, end in rows for n in normalise(word)]


def matches(reference, hypothesis):
    """The pairs (i, j) of equal words in a Levenshtein alignment."""
    rows = [list(range(len(hypothesis) + 1))]
    for i, word in enumerate(reference, 1):
        row = [i]
        for j, other in enumerate(hypothesis, 1):
            row.append(min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (word != other)))
        rows.append(row)
    i, j, pairs = len(reference), len(hypothesis), []
    while i and j:
        if rows[i][j] == rows[i - 1][j - 1] + (reference[i - 1] != hypothesis[j - 1]):
            i, j = i - 1, j - 1
            if reference[i] == hypothesis[j]:
                pairs.append((i, j))
        elif rows[i][j] == rows[i - 1][j] + 1:
            i -= 1
        else:
            j -= 1
    return pairs
