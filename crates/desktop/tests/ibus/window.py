"""A window of GTK 3 with five fields, which says on stdout what happens in them, a JSON array a line:
["focus", field], ["text", field, text], ["preedit", field, text]. On stdin: `focus FIELD`, `clear FIELD`.

Fields 0 and 1 take a line, 2 is for passwords and shows them, 3 for a PIN and hides it, 4 takes lines.
"""

import json
import sys

import gi

gi.require_version("Gtk", "3.0")
from gi.repository import GLib, Gtk  # noqa: E402


def say(*what):
    print(json.dumps(what), flush=True)


def line(index, purpose):
    field = Gtk.Entry(input_purpose=purpose, visibility=purpose != Gtk.InputPurpose.PIN)
    field.connect("changed", lambda field: say("text", index, field.get_text()))
    return field


def lines(index):
    field = Gtk.TextView()
    buffer = field.get_buffer()
    read = lambda buffer: say("text", index, buffer.get_text(*buffer.get_bounds(), True))
    buffer.connect("changed", read)
    field.get_text = lambda: buffer.get_text(*buffer.get_bounds(), True)
    field.set_text = lambda text: buffer.set_text(text)
    return field


purposes = [Gtk.InputPurpose.FREE_FORM] * 2 + [Gtk.InputPurpose.PASSWORD, Gtk.InputPurpose.PIN]
fields = [line(index, purpose) for index, purpose in enumerate(purposes)] + [lines(4)]
box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL)
for index, field in enumerate(fields):
    box.add(field)
    field.connect("preedit-changed", lambda _, text, i=index: say("preedit", i, text))
    field.connect("focus-in-event", lambda *_, i=index: say("focus", i))


def obey(*_):
    order = sys.stdin.readline().split()
    if not order:
        Gtk.main_quit()
        return False
    field = fields[int(order[1])]
    if order[0] == "focus":
        field.grab_focus()
    elif order[0] == "clear":
        field.set_text("")
        say("text", int(order[1]), "")
    return True


window = Gtk.Window(title="fields")
window.add(box)
window.connect("destroy", Gtk.main_quit)
GLib.io_add_watch(sys.stdin, GLib.IO_IN | GLib.IO_HUP, obey)
window.show_all()
window.present()
Gtk.main()
