"""consent.py WORD...: answers a dialog of the desktop's as a user does: turns on what is called by one of the words, and
presses the buttons that are. Through AT-SPI, as a screen reader. Prints what it saw, and ends with status 1 if it pressed
nothing."""

import sys
import time

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi  # noqa: E402

WORDS = sys.argv[1:]
SEEN, PRESSED = set(), []


def parts(part, depth=0):
    if part is None or depth > 30:
        return
    yield part
    for index in range(part.get_child_count()):
        yield from parts(part.get_child_at_index(index), depth + 1)


def look():
    desktop = Atspi.get_desktop(0)
    for program in (desktop.get_child_at_index(index) for index in range(desktop.get_child_count())):
        if program is None or "portal" not in (program.get_name() or "").lower():
            continue
        for part in parts(program):
            what = (part.get_role_name(), part.get_name())
            if what not in SEEN:
                SEEN.add(what)
                print("saw:", *what, flush=True)
            yield part, what


def press(word):
    for part, (role, name) in look():
        action = part.get_action_iface()
        if name == word and role != "label" and action is not None and Atspi.Action.get_n_actions(action) > 0:
            print("pressing:", role, name, Atspi.Action.do_action(action, 0), flush=True)
            PRESSED.append(word)
            return True
    return False


for word in WORDS:
    end = time.monotonic() + 15
    while not press(word) and time.monotonic() < end:
        time.sleep(0.3)
    time.sleep(0.5)
sys.exit(0 if len(PRESSED) == len(WORDS) else 1)
