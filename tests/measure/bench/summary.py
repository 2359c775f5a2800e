"""What was measured in turn → rows of ours beside a peer's, and the table of them."""
import statistics

OURS, FASTER_WHISPER, WHISPER_CPP = "scriven", "faster-whisper", "whisper.cpp"


def both(what, *peers):
    return {peer: (what, what) for peer in peers or (FASTER_WHISPER, WHISPER_CPP)}


def encoder(n_ctx):
    """whisper.cpp computes the keys and values of the decoder in the encoder; CTranslate2 does not."""
    return both(f"encoder-{n_ctx}", FASTER_WHISPER) | {WHISPER_CPP: (f"encoder-keys-{n_ctx}",) * 2}


# What is compared: its unit, and for each peer the name of our value and of theirs.
ROWS = {
    "encoder-512": ("ms", encoder(512)),
    "encoder-1500": ("ms", encoder(1500)),
    "token": ("ms", both("token")),
    "file-11s-wall": ("s", both("file-11s-wall")),
    "file-11s-cpu": ("s", both("file-11s-cpu")),
    "live-partial-mean": ("s", both("live-partial-mean", FASTER_WHISPER)),
    "live-commit-mean": ("s", both("live-commit-mean", FASTER_WHISPER)),
    "live-cpu": ("s/s", both("live-cpu", FASTER_WHISPER)),
}
# What the summary leaves out.
MORE_ROWS = {
    "encoder-256": ("ms", encoder(256)),
    "verify-20": ("ms", both("verify-20", WHISPER_CPP)),
    "file-11s-memory": ("MB", both("file-11s-memory")),
    "live-memory": ("MB", both("live-memory", FASTER_WHISPER)),
}


def rows(measured, table):
    """A row for each model, thing and peer that has it, of medians over the rounds.

    `measured` are entries of `model`, `program` and `values`, one or more a round.
    """
    found = {}
    for entry in measured:
        for what, value in entry["values"].items():
            found.setdefault((entry["model"], entry["program"], what), []).append(value)
    middle = {key: statistics.median(values) for key, values in found.items()}
    made = []
    for model in dict.fromkeys(entry["model"] for entry in measured):
        for what, (unit, peers) in table.items():
            for name, (our_value, their_value) in peers.items():
                ours, peer = middle.get((model, OURS, our_value)), middle.get((model, name, their_value))
                if ours is None or peer is None:
                    continue
                row = {"what": what, "model": model, "ours": ours, "peer": peer, "peer_name": name, "unit": unit}
                made.append(row | {"ratio": ours / peer if peer else None})
    return made


def digits(value):
    """Three that count."""
    if value is None:
        return "-"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def table(made):
    """Lines of aligned columns."""
    cells = [["what", "model", "ours", "peer", "unit", "ratio", "peer is"]]
    for row in made:
        numbers = [digits(row["ours"]), digits(row["peer"]), row["unit"], digits(row["ratio"])]
        cells.append([row["what"], row["model"], *numbers, row["peer_name"]])
    widths = [max(len(line[i]) for line in cells) for i in range(7)]
    right = {2, 3, 5}
    for line in cells:
        padded = [cell.rjust(w) if i in right else cell.ljust(w) for i, (cell, w) in enumerate(zip(line, widths))]
        yield "  ".join(padded).rstrip()
