"""window.py GTK KIND APP_ID: a window with fields, which tells on its standard output, one JSON list a line, what happens.

GTK is 3 or 4; KIND is entry, password, pin, text (of several lines) or two (entries). Tells `["text", N, TEXT]` (the whole text
of field N), `["preedit", N, TEXT]`, `["key", NAME, MODIFIERS]`, `["shortcut", NAME]` (a key with Ctrl, Alt or Super) and
`["active", BOOL]`. On its standard input it takes `focus N`.
"""
import json
import sys
import threading

import gi

gtk, kind, app_id = sys.argv[1:4]
gi.require_version("Gdk", gtk + ".0")
gi.require_version("Gtk", gtk + ".0")
from gi.repository import Gdk, GLib, Gtk  # noqa: E402


def tell(*what):
    print(json.dumps(what), flush=True)


def field(number):
    if kind == "text":
        view = Gtk.TextView()
        buffer = view.get_buffer()
        buffer.connect("changed", lambda b: tell("text", number, b.get_text(*b.get_bounds(), False)))
        view.connect("preedit-changed", lambda _, text: tell("preedit", number, text))
        return view
    entry = Gtk.Entry()
    if kind == "password":
        entry.set_visibility(False)
        entry.set_input_purpose(Gtk.InputPurpose.PASSWORD)
    if kind == "pin":
        entry.set_input_purpose(Gtk.InputPurpose.PIN)
    entry.connect("changed", lambda e: tell("text", number, e.get_text()))
    inner = entry.get_delegate() if gtk == "4" else entry
    inner.connect("preedit-changed", lambda _, text: tell("preedit", number, text))
    return entry


CONTROL, ALT, SUPER = 1 << 2, 1 << 3, 1 << 6 | 1 << 26


def key(_, value, state):
    name, state = Gdk.keyval_name(value), int(state)
    tell("key", name, state)
    if state & (CONTROL | ALT | SUPER):
        tell("shortcut", name)
    return False


GLib.set_prgname(app_id)
if gtk == "4":
    Gtk.init()
    window = Gtk.Window()
    keys = Gtk.EventControllerKey()
    keys.set_propagation_phase(Gtk.PropagationPhase.CAPTURE)
    keys.connect("key-pressed", lambda c, value, code, state: key(c, value, state))
    window.add_controller(keys)
else:
    window = Gtk.Window()
    window.connect("key-press-event", lambda w, event: key(w, event.keyval, event.state))
window.connect("notify::is-active", lambda w, _: tell("active", w.props.is_active))
fields = [field(number) for number in range(2 if kind == "two" else 1)]
box = Gtk.Box(orientation=Gtk.Orientation.VERTICAL)
for one in fields:
    box.append(one) if gtk == "4" else box.pack_start(one, kind == "text", True, 0)
window.set_child(box) if gtk == "4" else window.add(box)
window.present() if gtk == "4" else window.show_all()
fields[0].grab_focus()


def listen():
    for line in sys.stdin:
        _, number = line.split()
        GLib.idle_add(lambda n=int(number): fields[n].grab_focus() and False)


threading.Thread(target=listen, daemon=True).start()
GLib.MainLoop().run()
