"""probe.py tty|gtk3|gtk4|qt5 FILE: a window that tells its text in FILE whenever it changes, a JSON array a line: the time
(CLOCK_MONOTONIC, microseconds) and all of the text. After half a second without a change it is emptied, which is not told.

`tty` is for the inside of a terminal.
"""

import codecs
import json
import os
import select
import sys
import time

kind, path = sys.argv[1:]
IDLE = 0.5
told = open(path, "w", encoding="utf-8", buffering=1)


def tell(text):
    at = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    if text:
        told.write(json.dumps([at, text]) + "\n")


def tty():
    import tty as mode

    mode.setraw(0)
    decoder, text = codecs.getincrementaldecoder("utf-8")(), ""
    while True:
        if not select.select([0], [], [], IDLE)[0]:
            text = ""
            continue
        text += decoder.decode(os.read(0, 1 << 16))
        tell(text)


def gtk(version):
    import gi

    gi.require_version("Gtk", version + ".0")
    from gi.repository import GLib, Gtk

    GLib.set_prgname("probe")
    if version == "4":
        Gtk.init()
    window, entry, timer = Gtk.Window(), Gtk.Entry(), []

    def empty():
        timer.clear()
        entry.set_text("")
        return False

    def changed(entry):
        tell(entry.get_text())
        if timer:
            GLib.source_remove(timer.pop())
        if entry.get_text():
            timer.append(GLib.timeout_add(int(IDLE * 1000), empty))

    entry.connect("changed", changed)
    window.set_default_size(760, 60)
    window.set_child(entry) if version == "4" else window.add(entry)
    window.present() if version == "4" else window.show_all()
    entry.grab_focus()
    GLib.MainLoop().run()


def qt():
    from PyQt5.QtCore import QTimer
    from PyQt5.QtWidgets import QApplication, QLineEdit

    application = QApplication(["probe"])
    line, timer = QLineEdit(), QTimer()
    timer.setSingleShot(True)
    timer.timeout.connect(line.clear)
    line.textChanged.connect(lambda text: (tell(text), timer.start(int(IDLE * 1000))))
    line.setWindowTitle("probe")
    line.resize(760, 60)
    line.show()
    line.setFocus()
    application.exec()


{"tty": tty, "gtk3": lambda: gtk("3"), "gtk4": lambda: gtk("4"), "qt5": qt}[kind]()
