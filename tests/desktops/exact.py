"""exact.py TOOLKIT WAY ROUNDS LAYOUT...: a window of `gtk` (4) or `qt` (6), in which `way WAY` types.

Prints what arrived: a line for each layout and text, `way layout text exact/rounds`, and what it saw of focus,
preedit and passwords. Ends with status 1 if anything was not as it should.
"""

import subprocess
import sys
import time

import windows
from windows import OWN, TEXTS, picture, until, use_layout


class Driver:
    def __init__(self, window, name, failed):
        self.window, self.name, self.failed = window, name, failed
        pipe = subprocess.PIPE
        self.way = subprocess.Popen(["/opt/way", name], stdin=pipe, stdout=pipe, text=True)
        print(f"{name}: {self.way.stdout.readline().strip()}", flush=True)

    def everything(self, rounds, layouts):
        for layout in layouts:
            use_layout(layout)
            self.focus(secret=False)
            for label, text in [*TEXTS.items(), ("own", OWN.get(layout, "a"))]:
                exact, wrong = 0, None
                for _ in range(rounds):
                    got = self.type(text)
                    exact += got == text
                    wrong = wrong if got == text else got
                print(f"{self.name} {layout} {label} {exact}/{rounds}", flush=True)
                if wrong is not None:
                    self.failed.append(label)
                    print(f"  instead: {wrong!r}, {self.answer!r}", flush=True)
        self.preedit()
        self.passwords()
        self.patience()

    def type(self, text):
        self.window.later(self.window.clear)
        until(lambda: self.read() == "")
        self.order("insert", text.replace("\n", "\\n"))
        if self.answer.startswith("ok"):
            until(lambda: self.read() == text)
        return self.read()

    def preedit(self):
        self.window.later(self.window.clear)
        print("preedit:", self.order("preedit", "tentative wörds 日本"), flush=True)
        until(lambda: self.window.preedit)
        print(f"  seen: {self.window.preedit!r}, text: {self.read()!r}", flush=True)
        picture("preedit")
        print("insert:", self.order("insert", "Final."), flush=True)
        until(lambda: self.read() == "Final." and not self.window.preedit)
        print(f"  preedit: {self.window.preedit!r}, text: {self.read()!r}", flush=True)
        print("delete 1:", self.order("delete", "1"), flush=True)
        time.sleep(0.5)
        print(f"  text: {self.read()!r}", flush=True)

    def passwords(self):
        before = self.order("target")
        self.focus(secret=True)
        print("target:", before, "\n  on a password:", self.order("target"), flush=True)
        print("insert:", self.order("insert", "words"), flush=True)
        time.sleep(0.5)
        print(f"  the field holds {self.window.read_secret()!r}", flush=True)
        self.focus(secret=False)
        print("  back:", self.order("target"), flush=True)

    def patience(self):
        """Nothing happens for longer than a seat is held: the target is the same all the same."""
        targets = []
        for pause in (3, 3, 0):
            targets.append(self.order("target").split(" (")[0])
            time.sleep(pause)
        if len(set(targets)) > 1:
            self.failed.append("target")
        print(f"targets: {targets}", flush=True)

    def focus(self, secret):
        self.window.later(lambda: self.window.focus(secret))
        time.sleep(1)

    def order(self, what, text=""):
        self.way.stdin.write(f"{what} {text}\n" if text else f"{what}\n")
        self.way.stdin.flush()
        self.answer = self.way.stdout.readline().strip()
        return self.answer

    def read(self):
        return windows.read(self.window)


def main():
    toolkit, name, rounds, layouts = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]
    drive = lambda window, failed: Driver(window, name, failed).everything(rounds, layouts)
    sys.exit(1 if windows.run(toolkit, drive) else 0)


main()
