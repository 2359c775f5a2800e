"""exact.py TOOLKIT WAY ROUNDS LAYOUT...: a window of `gtk` (4) or `qt` (6), in which `way WAY` types.

Prints what arrived: a line for each layout and text, `way layout text exact/rounds`, and what it saw of focus,
preedit and passwords. Ends with status 1 if anything was not as it should.
"""

import subprocess
import sys
import threading
import time

TEXTS = {
    "ascii": "".join(map(chr, range(0x20, 0x7F))),
    "scripts": "é ß ü ñ œ € “q” — 日本語 😀 Ω я",
    "lines": "one\ntwo",
}
# What a layout has keys for that others have elsewhere, or not at all.
OWN = {"us": "zyZY @#{[]}\\|~^", "de": "zyZY äöüÄÖÜß €@{[]}\\|~", "fr": "azqwmAZQWM éèçàù €@{[]}\\|_"}


class Gtk4:
    """A field for text and one for passwords, in GTK 4."""

    def __init__(self):
        import gi

        gi.require_version("Gtk", "4.0")
        from gi.repository import GLib, Gtk

        self.glib, self.loop = GLib, GLib.MainLoop()
        Gtk.init()
        self.view = Gtk.TextView(vexpand=True)
        self.secret = Gtk.PasswordEntry()
        self.preedit = ""
        self.view.connect("preedit-changed", lambda _, text: setattr(self, "preedit", text))
        box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL)
        box.append(self.view)
        box.append(self.secret)
        window = Gtk.Window(title="exact", default_width=600, default_height=300, child=box)
        window.connect("close-request", lambda _: self.loop.quit())
        window.present()
        self.window = window

    def later(self, act):
        self.glib.idle_add(lambda: act() and False)

    def run(self):
        self.loop.run()

    def quit(self):
        self.later(self.loop.quit)

    def read(self):
        buffer = self.view.get_buffer()
        return buffer.get_text(*buffer.get_bounds(), True)

    def read_secret(self):
        return self.secret.get_text()

    def clear(self):
        self.view.get_buffer().set_text("")

    def focus(self, secret):
        (self.secret if secret else self.view).grab_focus()


class Qt6:
    """The same in Qt 6."""

    def __init__(self):
        from PyQt6 import QtCore, QtWidgets

        outer = self

        class View(QtWidgets.QTextEdit):
            def inputMethodEvent(self, event):
                outer.preedit = event.preeditString()
                super().inputMethodEvent(event)

        class Caller(QtCore.QObject):
            call = QtCore.pyqtSignal(object)

        self.app = QtWidgets.QApplication(["exact"])
        self.preedit = ""
        self.view, self.secret = View(), QtWidgets.QLineEdit()
        self.secret.setEchoMode(QtWidgets.QLineEdit.EchoMode.Password)
        self.caller = Caller()
        self.caller.call.connect(lambda act: act())
        self.window = QtWidgets.QWidget()
        layout = QtWidgets.QVBoxLayout(self.window)
        layout.addWidget(self.view)
        layout.addWidget(self.secret)
        self.window.resize(600, 300)
        self.window.show()
        self.window.activateWindow()

    def later(self, act):
        self.caller.call.emit(act)

    def run(self):
        self.app.exec()

    def quit(self):
        self.later(self.app.quit)

    def read(self):
        return self.view.toPlainText()

    def read_secret(self):
        return self.secret.text()

    def clear(self):
        self.view.clear()

    def focus(self, secret):
        (self.secret if secret else self.view).setFocus()


def main():
    toolkit, name, rounds, layouts = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]
    window = {"gtk": Gtk4, "qt": Qt6}[toolkit]()
    failed = []
    work = threading.Thread(target=lambda: drive(window, name, rounds, layouts, failed), daemon=True)
    work.start()
    window.run()
    sys.exit(1 if failed else 0)


def drive(window, name, rounds, layouts, failed):
    try:
        Driver(window, name, failed).everything(rounds, layouts)
    except Exception as error:  # noqa: BLE001
        failed.append(str(error))
        print("failed:", repr(error), flush=True)
    finally:
        window.quit()


class Driver:
    def __init__(self, window, name, failed):
        self.window, self.name, self.failed = window, name, failed
        pipe = subprocess.PIPE
        self.way = subprocess.Popen(["/opt/way", name], stdin=pipe, stdout=pipe, text=True)
        print(f"{name}: {self.way.stdout.readline().strip()}", flush=True)

    def everything(self, rounds, layouts):
        for layout in layouts:
            use_layout(layout)
            time.sleep(2)
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

    def type(self, text):
        self.window.later(self.window.clear)
        self.until(lambda: self.read() == "")
        self.order("insert", text.replace("\n", "\\n"))
        if self.answer.startswith("ok"):
            self.until(lambda: self.read() == text)
        return self.read()

    def preedit(self):
        self.window.later(self.window.clear)
        print("preedit:", self.order("preedit", "tentative wörds 日本"), flush=True)
        self.until(lambda: self.window.preedit)
        print(f"  seen: {self.window.preedit!r}, text: {self.read()!r}", flush=True)
        picture("preedit")
        print("insert:", self.order("insert", "Final."), flush=True)
        self.until(lambda: self.read() == "Final." and not self.window.preedit)
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

    def focus(self, secret):
        self.window.later(lambda: self.window.focus(secret))
        time.sleep(1)

    def order(self, what, text=""):
        self.way.stdin.write(f"{what} {text}\n" if text else f"{what}\n")
        self.way.stdin.flush()
        self.answer = self.way.stdout.readline().strip()
        return self.answer

    def read(self):
        """The text, read by the thread of the window."""
        done, got = threading.Event(), []
        self.window.later(lambda: (got.append(self.window.read()), done.set()))
        done.wait(5)
        return got[0] if got else None

    def until(self, is_so, limit=5):
        end = time.monotonic() + limit
        while not is_so() and time.monotonic() < end:
            time.sleep(0.01)


def use_layout(layout):
    sources = f"[('xkb', '{layout}')]"
    subprocess.run(["gsettings", "set", "org.gnome.desktop.input-sources", "sources", sources], check=False)


def picture(name):
    subprocess.run(["/opt/picture", name], check=False, stdout=subprocess.DEVNULL)


main()
