#!/usr/bin/env python3
"""nonspeech.py OUT_DIR [MINUTES]: writes recordings in which nobody speaks, and their manifest.
nonspeech.py OUT_DIR --behind MANIFEST N: writes N recordings of kind `read`, each with such sound behind it.

Twelve kinds of sound of MINUTES (5) each, the same in every run with the same SEED (1); or eight of them, of 0.5 to 30 s,
behind the speech. Needs numpy, and for the latter soundfile.
"""
import csv
import os
import sys
import wave

import numpy as np

RATE = 16_000
SEED = int(os.environ.get("SEED", "1"))
# Those that follow speech.
BEHIND = ("silence", "room", "hum", "white", "fan", "clicks", "keyboard", "beeps")


def level(x, dbfs):
    """Brings sound to a level, measured over all of it."""
    return x * 10 ** (dbfs / 20) / np.sqrt(np.mean(x**2))


def noise(r, n, slope):
    """Noise whose amplitude falls with frequency to the power `slope`: 0 white, 0.5 pink, 1 brown."""
    spectrum = r.standard_normal(n // 2 + 1) + 1j * r.standard_normal(n // 2 + 1)
    f = np.fft.rfftfreq(n, 1 / RATE)
    return np.fft.irfft(spectrum * (f > 20) / np.maximum(f, 20) ** slope, n)


def band(x, low, high):
    f = np.fft.rfftfreq(len(x), 1 / RATE)
    return np.fft.irfft(np.fft.rfft(x) * ((f > low) & (f < high)), len(x))


def swell(r, n, seconds):
    """A factor that wanders between 0.1 and 1 in about so many seconds."""
    points = r.uniform(0.1, 1, int(n / RATE / seconds) + 2)
    return np.interp(np.arange(n) / RATE / seconds, np.arange(len(points)), points)


def hum(n):
    t = np.arange(n) / RATE
    return sum(np.sin(2 * np.pi * 50 * k * t) / k for k in (1, 2, 3, 5, 7, 11))


def bursts(r, n, gap, length, low, high):
    """Short noises that die away, `gap` seconds apart on average."""
    out = np.zeros(n)
    at = 0.3
    while at * RATE + 4 * length * RATE < n:
        m = int(4 * length * RATE)
        burst = band(r.standard_normal(m), low, high) * np.exp(-np.arange(m) / RATE / length)
        out[int(at * RATE) :][:m] += burst * r.uniform(0.3, 1)
        at += r.exponential(gap) + 0.02
    return out


def beeps(r, n):
    t = np.arange(n) / RATE
    tones = np.floor(t * 4).astype(int)
    pitch = r.choice([440, 523, 659, 784, 1000], tones.max() + 1)[tones]
    return np.sin(2 * np.pi * pitch * t) * (t * 4 % 1 < 0.6) * (t % 10 < 3)


def sounds(r, n):
    floor = level(noise(r, n, 0.5), -70)
    yield "silence", np.zeros(n)
    yield "room", floor
    yield "hum", level(hum(n), -40) + floor
    yield "hum-swelling", level(hum(n) * swell(r, n, 0.4), -30) + floor
    yield "white", level(noise(r, n, 0), -40)
    yield "pink-swelling", level(noise(r, n, 0.5) * swell(r, n, 1), -30)
    yield "brown-swelling", level(noise(r, n, 1) * swell(r, n, 0.5), -25)
    yield "fan", level(band(noise(r, n, 0.5), 80, 1500) * (1 + 0.5 * np.sin(np.arange(n) / RATE * 30)), -35)
    yield "clicks", level(bursts(r, n, 0.7, 0.001, 500, 7500), -35) + floor
    yield "keyboard", level(bursts(r, n, 0.12, 0.012, 300, 6000), -32) + floor
    yield "knocks", level(bursts(r, n, 1.5, 0.06, 60, 500), -28) + floor
    yield "beeps", level(beeps(r, n), -30) + floor


def write(folder, name, samples):
    with wave.open(os.path.join(folder, f"{name}.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


def main():
    folder, *rest = sys.argv[1:]
    os.makedirs(folder, exist_ok=True)
    rows = []
    if rest[:1] == ["--behind"]:
        import soundfile

        manifest, count = rest[1], int(rest[2])
        table = csv.DictReader(open(manifest, encoding="utf-8"), delimiter="\t", quoting=csv.QUOTE_NONE)
        spoken = [row for row in table if row["kind"] == "read" and row["language"] == "en"]
        for row in spoken[:: max(1, len(spoken) // count)][:count]:
            speech, rate = soundfile.read(os.path.join(os.path.dirname(manifest), row["file"]))
            assert rate == RATE and speech.ndim == 1, row["file"]
            for name, sound in sounds(np.random.default_rng(SEED), 30 * RATE):
                if name not in BEHIND:
                    continue
                for seconds in (0.5, 1, 2, 5, 10, 30):
                    id = f"{row['id']}-{name}-{seconds}"
                    write(folder, id, np.concatenate([speech, sound[: int(seconds * RATE)]]))
                    rows.append((id, "en", f"{name}-{seconds}", row["transcript"]))
    else:
        n = int(float(rest[0] if rest else 5) * 60 * RATE)
        for name, sound in sounds(np.random.default_rng(SEED), n):
            write(folder, name, sound)
            rows.append((name, "-", "nonspeech", ""))
    with open(os.path.join(folder, "manifest.tsv"), "w", encoding="utf-8") as out:
        out.write("id\tfile\tlanguage\tkind\ttranscript\n")
        for id, language, kind, transcript in rows:
            out.write(f"{id}\t{id}.wav\t{language}\t{kind}\t{transcript}\n")


main()
