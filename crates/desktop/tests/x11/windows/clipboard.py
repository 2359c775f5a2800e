"""clipboard.py own | dump: offers several forms of something until it is killed; prints what is offered."""

import json
import sys

from PyQt5.QtCore import QMimeData
from PyQt5.QtGui import QClipboard
from PyQt5.QtWidgets import QApplication

application = QApplication(["clipboard"])
clipboard = application.clipboard()
# What an owner is asked besides what it holds.
QUESTIONS = {"MULTIPLE", "SAVE_TARGETS", "TARGETS", "TIMESTAMP"}
modes = [QClipboard.Clipboard, QClipboard.Selection]
if sys.argv[1] == "own":
    for mode in modes:
        data = QMimeData()
        data.setText(f"kept {mode} ü 語")
        data.setHtml(f"<b>kept</b> {mode}")
        data.setData("application/x-scriven-test", bytes(range(256)) * 4)
        # More than one property of an X server with small requests, less than the largest.
        data.setData("application/x-scriven-large", b"large" * 200_000)
        clipboard.setMimeData(data, mode)
    print("ready", flush=True)
    application.exec()
else:
    dump = []
    for mode in modes:
        data = clipboard.mimeData(mode)
        forms = sorted(set(data.formats()) - QUESTIONS) if data else []
        dump.append({form: bytes(data.data(form)).hex() for form in forms})
    json.dump(dump, sys.stdout, sort_keys=True)
