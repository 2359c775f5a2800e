#!/usr/bin/env python3
"""local_agreement.py WEIGHTS_FOLDER RECORDING EVENTS.jsonl: faster-whisper, live, as others stream Whisper.

The recording is heard at the speed of life. Every half second, or as soon as the last pass is over, all sound that is not
yet done with is transcribed anew, and words on which two passes in a row agree are committed (LocalAgreement-2: Liu,
Spanakis, Niehues 2020; Macháček, Dabre, Bojar 2023). Sound behind whose words all is committed is let go of when it
becomes long. The output is an event log, see `../event_log.py`.
"""
import json
import sys
import time

from faster_whisper import decode_audio

import peer
from faster_whisper_peer import load, transcribe

RATE = 16000
# Seconds of new sound that a pass waits for, and of sound that is cut behind a committed sentence.
STEP, LONG = 0.5, 15.0
# Seconds by which a word may begin before the end of the committed ones, and is still a new one.
SLACK = 0.1
# Letters of committed text that a pass is given as a prompt.
PROMPT = 200


def plain(word):
    return word.strip().lower().strip(".,?!;:\"'")


class Stream:
    """Words are (start, end, text), in seconds of the recording."""

    def __init__(self, model):
        self.model, self.origin = model, 0.0
        self.committed, self.tentative = [], []

    def hear(self, sound, at_end):
        """Transcribes `sound`, which begins at `origin`; commits what the last pass had too, at the end all."""
        before = [text for _, end, text in self.committed if end <= self.origin]
        prompt = "".join(before)[-PROMPT:] or None
        segments = transcribe(self.model, sound, word_timestamps=True, initial_prompt=prompt)
        done = self.committed[-1][1] if self.committed else 0.0
        words = [(self.origin + w.start, self.origin + w.end, w.word) for s in segments for w in s.words]
        words = [word for word in words if word[0] >= done - SLACK]
        self.drop_repeated(words)
        agreed = 0
        while agreed < min(len(words), len(self.tentative)) and plain(words[agreed][2]) == plain(self.tentative[agreed][2]):
            agreed += 1
        agreed = len(words) if at_end else agreed
        self.committed += words[:agreed]
        self.tentative = words[agreed:]
        if len(sound) / RATE > LONG:
            done = self.committed[-1][1] if self.committed else 0.0
            ends = [self.origin + s.end for s in segments if self.origin + s.end <= done]
            self.origin = max([self.origin, *ends[:-1]])

    def drop_repeated(self, words):
        """A pass may hear the last committed words once more: up to five are looked for."""
        for n in range(min(5, len(words), len(self.committed)), 0, -1):
            if [plain(w[2]) for w in words[:n]] == [plain(w[2]) for w in self.committed[-n:]]:
                del words[:n]
                return

    def shown(self):
        return ["".join(text for *_, text in words).strip() for words in (self.committed, self.tentative)]


def run(model, samples, out):
    stream, shown, updates, heard = Stream(model), ["", ""], 0, 0.0
    length = len(samples) / RATE
    start, cpu_start = time.perf_counter(), time.process_time()
    cpu_before = cpu_start
    while heard < length:
        due = min(heard + STEP, length)
        time.sleep(max(0.0, start + due - time.perf_counter()))
        heard = min(time.perf_counter() - start, length)
        stream.hear(samples[int(stream.origin * RATE) : int(heard * RATE)], heard == length)
        now, cpu = time.perf_counter() - start, time.process_time()
        if stream.shown() != shown:
            shown, updates = stream.shown(), updates + 1
            costs = {"wall_ms": (now - heard) * 1e3, "cpu_ms": (cpu - cpu_before) * 1e3}
            line = {"now": now, "audio_end": heard, **costs, "committed": shown[0], "partial": shown[1]}
            print(json.dumps(line), file=out, flush=True)
            cpu_before = cpu
    cpu = time.process_time() - cpu_start
    summary = {"summary": 1, "audio": length, "updates": updates, "cpu_s": cpu, "rss_mb": peer.resident() / 1e6}
    print(json.dumps(summary), file=out)


if __name__ == "__main__":
    folder, recording, events = sys.argv[1:]
    model, samples = load(folder), decode_audio(recording)
    # Warm, as the daemon is.
    transcribe(model, samples[: 2 * RATE], word_timestamps=True)
    with open(events, "w", encoding="utf-8") as out:
        run(model, samples, out)
