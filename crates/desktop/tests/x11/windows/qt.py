"""qt.py TITLE FILE: a window with a line to edit; its text is always in FILE, and shortcuts in FILE.keys."""

import os
import sys

from PyQt5.QtCore import QEvent, QObject, Qt
from PyQt5.QtWidgets import QApplication, QLineEdit

title, path = sys.argv[1:]


def write(text):
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(text)
    os.rename(path + ".new", path)


class Shortcuts(QObject):
    def eventFilter(self, _object, event):
        held = Qt.ControlModifier | Qt.AltModifier | Qt.MetaModifier
        if event.type() == QEvent.KeyPress and event.modifiers() & held:
            with open(path + ".keys", "a", encoding="utf-8") as file:
                file.write(f"{event.key()}\n")
        return False


application = QApplication([title])
line = QLineEdit()
line.setWindowTitle(title)
line.resize(760, 60)
shortcuts = Shortcuts()
line.installEventFilter(shortcuts)
line.textChanged.connect(write)
line.show()
line.setFocus()
write("")
application.exec()
