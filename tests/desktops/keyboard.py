"""keyboard.py: a keyboard for GNOME without a screen, as long as it runs. A seat that has none tells no window of keys, and the
first ones of an emulated keyboard would be lost; a real desktop always has one."""

import time

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

NAME = "org.gnome.Mutter.RemoteDesktop"
SHIFT = 0xFFE1
bus = Gio.bus_get_sync(Gio.BusType.SESSION)


def call(path, interface, method, signature="()", *arguments):
    body = GLib.Variant(signature, arguments)
    return bus.call_sync(NAME, path, interface, method, body, None, Gio.DBusCallFlags.NONE, 5000, None)


session = call("/org/gnome/Mutter/RemoteDesktop", NAME, "CreateSession").unpack()[0]
call(session, f"{NAME}.Session", "Start")
for down in (True, False):
    call(session, f"{NAME}.Session", "NotifyKeyboardKeysym", "(ub)", SHIFT, down)
time.sleep(600)
