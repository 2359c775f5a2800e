"""daemon.py TOOLKIT ROUNDS LAYOUT...: a window of `gtk` (4) or `qt` (6), in which the daemon types: texts that it is
given, in each layout, and speech that it hears.

Prints a line for each layout and text, `layout text exact/rounds (ways)`; whether what was typed can be taken back; what
was heard; and the time from the signal `Final` until the text was in the window. Ends with status 1 if anything was not
as it should.
"""

import json
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter

import windows
from windows import OWN, TEXTS, now, picture, until, use_layout


def scriven(*arguments):
    return subprocess.run(["scriven", *arguments], capture_output=True, text=True, check=False)


class Ear:
    """The signals of the daemon, with the time at which each arrived."""

    def __init__(self):
        self.heard = []
        command = ["scriven", "listen", "--json"]
        self.listen = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        threading.Thread(target=self.take, daemon=True).start()

    def take(self):
        for line in self.listen.stdout:
            self.heard.append(json.loads(line))

    def wait(self, signal, since, limit=60):
        found = lambda: next((s for s in self.heard if s["signal"] == signal and s["received"] >= since), None)
        if not (it := until(found, limit)):
            raise TimeoutError(f"no {signal} in {limit} s; heard: {[s['signal'] for s in self.heard]}")
        return it


class Driver:
    def __init__(self, window, failed):
        self.window, self.failed = window, failed

    def everything(self, rounds, layouts):
        self.focus(secret=False)
        for layout in layouts:
            use_layout(layout)
            for label, text in [*TEXTS.items(), ("own", OWN.get(layout, "a"))]:
                self.series(layout, label, text, rounds)
        use_layout("us")
        self.taken_back()
        self.password()
        self.speech(rounds)

    def series(self, layout, label, text, rounds):
        exact, ways, wrong = 0, set(), None
        for _ in range(rounds):
            got, said = self.insert(text)
            exact += got == text
            ways.add(said)
            wrong = wrong if got == text else got
        print(f"{layout} {label} {exact}/{rounds} ({'; '.join(sorted(ways))})", flush=True)
        if wrong is not None:
            self.failed.append(label)
            print(f"  instead: {wrong!r}", flush=True)

    def insert(self, text):
        """What is in the window afterwards, and the way it took or why it is not there."""
        self.clear()
        done = subprocess.run(["gdbus", "call", "--session", "--dest", "org.scriven.Dictation1", "--object-path",
                               "/org/scriven/Dictation1", "--method", "org.scriven.Dictation1.InsertText",
                               json.dumps(text, ensure_ascii=False), "{}"], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            until(lambda: self.read() == text)
        said = done.stdout.strip() or done.stderr.strip().rsplit("Error.", 1)[-1]
        return self.read(), said

    def taken_back(self):
        print("insert:", self.insert("Kept. ")[1], flush=True)
        print("insert:", scriven("insert", "Taken bäck.").stderr.strip() or "ok", flush=True)
        until(lambda: "bäck." in self.read())
        undone = scriven("undo")
        until(lambda: self.read() == "Kept. ", 2)
        print(f"undo: {undone.stderr.strip() or 'ok'}; the text is {self.read()!r}", flush=True)

    def password(self):
        self.focus(secret=True)
        said = scriven("insert", "words").stderr.strip() or "ok"
        time.sleep(0.5)
        print(f"into a password: {said}; the field holds {self.window.read_secret()!r}", flush=True)
        self.focus(secret=False)

    def speech(self, rounds):
        """A sentence is spoken into the microphone while a key is held."""
        ear, times, waits = Ear(), [], []
        for number in range(rounds):
            self.clear()
            begun = now()
            self.tell("press", scriven("press"))
            until(lambda: '"listening"' in scriven("status", "--json").stdout)
            subprocess.run(["pw-play", "--target", "virtmic_in", "/opt/sentence.wav"], check=True)
            released = now()
            self.tell("release", scriven("release"))
            final, delivered = ear.wait("Final", begun), ear.wait("Delivered", begun)
            ear.wait("SessionEnded", begun)
            text = final["text"].strip()
            seen = until(lambda: next((at for at, held in list(self.window.told) if at >= begun and held.strip() == text), None))
            if number == 0:
                picture("dictated")
                print(f"dictated: {final['text']!r}, delivered: {delivered}", flush=True)
            if seen is None:
                self.failed.append("speech")
                print(f"  not there: {text!r}, but {self.read()!r}; {delivered}", flush=True)
                continue
            # What is final before the key is let go waits for that where it takes keys.
            times.append((seen - max(final["received"], released)) / 1000)
            waits.append((seen - released) / 1000)
        history = [json.loads(line) for line in scriven("history", "--json").stdout.splitlines()]
        print("history:", dict(Counter(text["state"] for text in history)), flush=True)
        self.summary("final (or release, if later) to visible", times)
        self.summary("release to visible", waits)

    def summary(self, what, times):
        if times:
            print(f"{what}: n {len(times)}, median {statistics.median(times):.1f} ms, worst {max(times):.1f} ms", flush=True)

    def tell(self, what, done):
        if done.returncode != 0:
            self.failed.append(what)
            print(f"{what}: {done.stderr.strip()}", flush=True)

    def clear(self):
        self.window.later(self.window.clear)
        until(lambda: self.read() == "")

    def focus(self, secret):
        self.window.later(lambda: self.window.focus(secret))
        time.sleep(1)

    def read(self):
        return windows.read(self.window)


def main():
    toolkit, rounds, layouts = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    drive = lambda window, failed: Driver(window, failed).everything(rounds, layouts)
    sys.exit(1 if windows.run(toolkit, drive) else 0)


main()
