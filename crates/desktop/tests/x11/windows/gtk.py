"""gtk.py TITLE FILE: a window with an entry; its text is always in FILE, and shortcuts in FILE.keys."""

import os
import sys

import gi

gi.require_version("Gtk", "3.0")
gi.require_version("Gdk", "3.0")
from gi.repository import Gdk, Gtk

title, path = sys.argv[1:]


def write(text):
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(text)
    os.rename(path + ".new", path)


def pressed(_window, event):
    shortcut = Gdk.ModifierType.CONTROL_MASK | Gdk.ModifierType.MOD1_MASK | Gdk.ModifierType.MOD4_MASK
    if event.state & shortcut:
        with open(path + ".keys", "a", encoding="utf-8") as file:
            file.write(Gdk.keyval_name(event.keyval) + "\n")
    return False


window = Gtk.Window(title=title)
window.set_default_size(760, 60)
entry = Gtk.Entry()
window.add(entry)
window.connect("key-press-event", pressed)
entry.connect("changed", lambda entry: write(entry.get_text()))
window.show_all()
entry.grab_focus()
write("")
Gtk.main()
