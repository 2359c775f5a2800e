#!/usr/bin/env bash
# visible.sh [DESKTOP...]: how long text takes from the bus into a window, on each desktop. See README.md.
set -euo pipefail
. "$(dirname "$(readlink -f "$0")")/desk_with_model.sh"
[ $# -gt 0 ] || set -- x11-xterm x11-gtk x11-qt ibus-gtk sway-foot sway-gtk
for desktop in "$@"; do /usr/bin/python3 "$here/visible.py" "$desktop" "${ROUNDS:-20}" "${DICTATIONS:-5}"; done
