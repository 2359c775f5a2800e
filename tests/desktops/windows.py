"""windows.py: windows that hold text, in GTK 4 and Qt 6, and what is typed into them."""

import subprocess
import threading
import time

TEXTS = {
    "ascii": "".join(map(chr, range(0x20, 0x7F))),
    "scripts": "é ß ü ñ œ € “q” — 日本語 😀 Ω я",
    "lines": "one\ntwo",
}
# What a layout has keys for that others have elsewhere, or not at all.
OWN = {"us": "zyZY @#{[]}\\|~^", "de": "zyZY äöüÄÖÜß €@{[]}\\|~", "fr": "azqwmAZQWM éèçàù €@{[]}\\|_"}


def now():
    """Microseconds of CLOCK_MONOTONIC, as `scriven listen --json` has them."""
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000


class Gtk4:
    """A field for text, which tells each change with its time, and one for passwords, in GTK 4."""

    def __init__(self):
        import gi

        gi.require_version("Gtk", "4.0")
        from gi.repository import GLib, Gtk

        self.glib, self.loop = GLib, GLib.MainLoop()
        Gtk.init()
        self.view = Gtk.TextView(vexpand=True)
        self.secret = Gtk.PasswordEntry()
        self.preedit = ""
        self.told = []
        self.view.get_buffer().connect("changed", lambda _: self.told.append((now(), self.read())))
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
        self.told = []
        self.view.textChanged.connect(lambda: self.told.append((now(), self.read())))
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


WINDOWS = {"gtk": Gtk4, "qt": Qt6}


def run(toolkit, drive):
    """Shows a window until `drive`, in a thread of its own, is done with it. Gives what went wrong."""
    window, failed = WINDOWS[toolkit](), []

    def work():
        try:
            drive(window, failed)
        except Exception as error:  # noqa: BLE001
            failed.append(str(error))
            print("failed:", repr(error), flush=True)
        finally:
            window.quit()

    threading.Thread(target=work, daemon=True).start()
    window.run()
    return failed


def read(window):
    """The text, read by the thread of the window."""
    done, got = threading.Event(), []
    window.later(lambda: (got.append(window.read()), done.set()))
    done.wait(5)
    return got[0] if got else None


def until(is_so, limit=5):
    end = time.monotonic() + limit
    while not (found := is_so()) and time.monotonic() < end:
        time.sleep(0.01)
    return found


def use_layout(layout):
    sources = f"[('xkb', '{layout}')]"
    subprocess.run(["gsettings", "set", "org.gnome.desktop.input-sources", "sources", sources], check=False)
    time.sleep(2)


def picture(name):
    subprocess.run(["/opt/picture", name], check=False, stdout=subprocess.DEVNULL)
