"""visible.py DESKTOP [ROUNDS] [DICTATIONS]: how long text takes into a window, on a desktop of its own. See README.md.

DESKTOP is x11-xterm, x11-gtk, x11-qt, ibus-gtk, sway-foot or sway-gtk. Run by visible.sh, at a desk with a model.
"""

import contextlib
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from gi.repository import Gio, GLib

NAME, PATH = "org.scriven.Dictation1", "/org/scriven/Dictation1"
HERE = Path(__file__).resolve().parent
PYTHON = "/usr/bin/python3"
PROSE = "The quick brown fox jumps over the lazy dog, and nobody has told him why. "
MIXED = "é ß ü ñ œ € “q” — 日本語 😀 Ω я "
#: What is inserted: name, text to repeat, length in characters.
SERIES = [("plain", PROSE, 5), ("plain", PROSE, 40), ("plain", PROSE, 200), ("mixed", MIXED, 40)]
#: Longer than the probe takes to empty itself.
PAUSE = 0.8
KINDS = {"xterm": "tty", "foot": "tty", "qt": "qt5"}


def now():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000


def until(what, is_so, patience=60):
    end = time.monotonic() + patience
    while not (found := is_so()):
        if time.monotonic() > end:
            sys.exit(f"visible.py: still not so: {what}")
        time.sleep(0.005)
    return found


class Desktop:
    """A display without a screen, and one window on it."""

    def __init__(self, name, stack):
        self.stack = stack
        self.kind, self.program = name.split("-")
        self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="scriven-visible.")))
        self.told = self.folder / "told"
        self.environment = {"LC_ALL": "C.UTF-8", "NO_AT_BRIDGE": "1", "GTK_A11Y": "none", "GSETTINGS_BACKEND": "memory"}
        self.sway() if self.kind == "sway" else self.xserver()
        self.window()

    def start(self, *command, **more):
        environment = os.environ | self.environment | more.pop("env", {})
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)
        self.stack.callback(lambda: (process.kill(), process.wait()))
        return process

    def run(self, *command):
        done = subprocess.run(command, env=os.environ | self.environment, capture_output=True, text=True)
        return done.stdout if done.returncode == 0 else ""

    def xserver(self):
        server = self.start("Xvfb", "-displayfd", "1", "-screen", "0", "800x600x24", stdout=subprocess.PIPE, text=True)
        display = ":" + server.stdout.readline().strip()
        self.environment |= {"DISPLAY": display, "GDK_BACKEND": "x11", "GTK_IM_MODULE": "gtk-im-context-simple",
                             "QT_IM_MODULE": "simple", "QT_QPA_PLATFORM": "xcb"}
        if self.kind == "ibus":
            self.environment["GTK_IM_MODULE"] = "ibus"
            self.start("ibus-daemon", "--panel", "disable", stdout=subprocess.DEVNULL)
            until("IBus answers", lambda: self.run("ibus", "list-engine", "--name-only"))

    def sway(self):
        config, ipc = self.folder / "config", self.folder / "ipc"
        config.write_text("xwayland disable\noutput HEADLESS-1 mode 1280x720\ndefault_border none\n")
        as_nobody = []
        if os.getuid() == 0:
            as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
            for path in (self.folder, config):
                shutil.chown(path, 65534, 65534)
        environment = {"XDG_RUNTIME_DIR": str(self.folder), "WLR_BACKENDS": "headless", "WLR_RENDERER": "pixman",
                       "WLR_LIBINPUT_NO_DEVICES": "1", "LIBSEAT_BACKEND": "noop", "SWAYSOCK": str(ipc)}
        self.start(*as_nobody, "sway", "-c", str(config), env=environment)
        sockets = lambda: [path for path in self.folder.glob("wayland-*") if path.suffix != ".lock"]
        socket = until("sway is up", sockets)[0]
        self.environment |= {"WAYLAND_DISPLAY": str(socket), "SWAYSOCK": str(ipc), "GDK_BACKEND": "wayland"}
        # Stands for the user's keyboard.
        self.start("wtype", "-s", "86400000", "x")
        until("a keyboard", lambda: "keyboard" in self.run("swaymsg", "-r", "-t", "get_inputs"))

    def window(self):
        kind = KINDS.get(self.program, "gtk4" if self.kind == "sway" else "gtk3")
        probe = [PYTHON, str(HERE / "probe.py"), kind, str(self.told)]
        before = {"xterm": ["xterm", "-u8", "-fn", "fixed", "-T", "probe", "-e"], "foot": ["foot"]}
        self.start(*before.get(self.program, []), *probe)
        until("the window tells", self.told.exists)
        if self.kind == "sway":
            until("it has the focus", lambda: '"focused": true' in self.run("swaymsg", "-r", "-t", "get_tree"))
        else:
            focus = ["xdotool", "search", "--onlyvisible", "--name", "probe", "windowfocus", "--sync", "getwindowfocus"]
            until("it has the focus", lambda: self.run(*focus))
        time.sleep(1)

    def texts(self):
        return [json.loads(line) for line in self.told.read_text().splitlines()]

    def shown(self, since, is_it):
        """When the window first held a text that `is_it`."""
        found = lambda: next((at for at, text in self.texts() if at >= since and is_it(text)), None)
        return until(f"the text is there; it holds {self.texts()[-1:]}", found, 20)


class Daemon:
    """`scrivend` on that display, and what it says on the bus."""

    def __init__(self, desktop):
        self.bus = Gio.bus_get_sync(Gio.BusType.SESSION)
        self.heard = []
        threading.Thread(target=GLib.MainLoop().run, daemon=True).start()
        self.bus.signal_subscribe(NAME, NAME, None, PATH, None, Gio.DBusSignalFlags.NONE, self.hear)
        self.end_other()
        self.process = desktop.start(os.environ["SCRIVEN_BIN"] + "/scrivend", stdout=subprocess.DEVNULL)
        until("the model is ready", lambda: self.property("ModelState") == "ready")

    def hear(self, _bus, _sender, _path, _interface, member, body):
        self.heard.append((now(), member, body.unpack()))

    def end_other(self):
        """Ends the one that the bus has started, which knows no display."""
        ask = lambda method: self.ask("org.freedesktop.DBus", "/", "org.freedesktop.DBus", method, GLib.Variant("(s)", (NAME,)))
        if ask("NameHasOwner")[0]:
            os.kill(ask("GetConnectionUnixProcessID")[0], signal.SIGTERM)
            until("the other daemon has ended", lambda: not ask("NameHasOwner")[0])

    def ask(self, name, path, interface, method, body=None):
        answer = self.bus.call_sync(name, path, interface, method, body, None, Gio.DBusCallFlags.NO_AUTO_START, 60000)
        return answer.unpack()

    def call(self, method, body=None):
        return self.ask(NAME, PATH, NAME, method, body)

    def property(self, name):
        try:
            body = GLib.Variant("(ss)", (NAME, name))
            return self.ask(NAME, PATH, "org.freedesktop.DBus.Properties", "Get", body)[0]
        except GLib.Error:
            return None

    def told(self, member, since):
        return [(at, body) for at, heard, body in list(self.heard) if heard == member and at >= since]


def insert(daemon, desktop, rounds):
    """The time from the call until the text is there, for each series."""
    for name, source, length in SERIES:
        times, ways = [], set()
        for number in range(rounds):
            text = (f"{number:02} " + source * length)[:length]
            time.sleep(PAUSE)
            begun = now()
            ways.add(daemon.call("InsertText", GLib.Variant("(sa{sv})", (text, {})))[0])
            times.append((desktop.shown(begun, lambda shown: shown == text) - begun) / 1000)
        tell(f"insert, {name}, {length} characters", times, f"by {', '.join(sorted(ways))}")


def dictate(daemon, desktop, rounds):
    """The time from the final text on the bus, and from the release of the key, until the text is there."""
    sound = "/usr/share/pocketsphinx/test/data/librivox/sense_and_sensibility_01_austen_64kb-0930.wav"
    from_final, from_release = [], []
    for _ in range(rounds):
        time.sleep(PAUSE)
        begun = now()
        daemon.call("Press", GLib.Variant("(sa{sv})", ("dictate", {})))
        until("the daemon listens", lambda: daemon.property("State") == "listening")
        subprocess.run(["pw-play", "--target", "virtmic_in", sound], check=True)
        released = now()
        daemon.call("Release", GLib.Variant("(s)", ("dictate",)))
        until("the session ends", lambda: daemon.told("SessionEnded", begun))
        at, final = daemon.told("Final", begun)[-1]
        # The first letter is large or small as what stands before it wants.
        text = final[2].strip().lower()
        shown = desktop.shown(begun, lambda shown: shown.strip().lower().endswith(text))
        from_final.append((shown - max(at, released)) / 1000)
        from_release.append((shown - released) / 1000)
    tell("dictated, final (or release, if that is later) to visible", from_final)
    tell("dictated, release to visible", from_release)


def tell(what, times, more=""):
    times.sort()
    p95 = times[min(len(times) - 1, int(0.95 * len(times)))]
    print(f"{sys.argv[1]:10} {what}: median {statistics.median(times):.1f} ms, p95 {p95:.1f}, longest {times[-1]:.1f} "
          f"({len(times)} exact) {more}", flush=True)


def main():
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    dictations = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    with contextlib.ExitStack() as stack:
        desktop = Desktop(sys.argv[1], stack)
        daemon = Daemon(desktop)
        insert(daemon, desktop, rounds)
        dictate(daemon, desktop, dictations)


main()
