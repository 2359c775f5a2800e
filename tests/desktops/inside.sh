#!/bin/bash
# inside.sh gnome|kde WAY TOOLKIT ROUNDS LAYOUT...: starts the desktop in the session of the user who runs it, without a screen,
# and lets exact.py type there. Run by run.sh, in the tree.
desktop=$1 way=$2 toolkit=$3
shift 3
export XDG_RUNTIME_DIR=/run/user/$(id -u) LC_ALL=C.UTF-8
export DBUS_SESSION_BUS_ADDRESS=unix:path=$XDG_RUNTIME_DIR/bus
cd "$HOME" || exit 1

until_so() { for _ in $(seq 300); do "$@" >/dev/null 2>&1 && return; sleep 0.2; done; echo "still not so: $*"; }
session() { systemctl --user set-environment "$@"; dbus-update-activation-environment "$@"; export "${@?}"; }
# Says whether an expression is true inside of GNOME Shell.
js() {
    gdbus call --session --dest org.gnome.Shell --object-path /org/gnome/Shell --method org.gnome.Shell.Eval "$1" |
        grep -q "'true'"
}

until_so systemctl --user is-active default.target
case $desktop in
gnome)
    session XDG_CURRENT_DESKTOP=GNOME XDG_SESSION_TYPE=wayland
    gsettings set org.gnome.desktop.input-sources sources "[('xkb', 'us')]"
    gnome-shell --headless --wayland --no-x11 --virtual-monitor 1280x720 --wayland-display wayland-g --unsafe-mode \
        >/opt/out/gnome.log 2>&1 &
    until_so test -S "$XDG_RUNTIME_DIR/wayland-g"
    session WAYLAND_DISPLAY=wayland-g
    until_so js '!Main.layoutManager._startingUp'
    js 'Main.overview.hide()'
    until_so js '!Main.overview.visible'
    ;;
kde)
    session XDG_CURRENT_DESKTOP=KDE XDG_SESSION_TYPE=wayland KDE_FULL_SESSION=true QT_QPA_PLATFORM=wayland
    KWIN_WAYLAND_NO_PERMISSION_CHECKS=1 QT_QPA_PLATFORM= kwin_wayland --virtual --width 1280 --height 720 --no-lockscreen \
        --socket wayland-k >/opt/out/kwin.log 2>&1 &
    until_so test -S "$XDG_RUNTIME_DIR/wayland-k"
    session WAYLAND_DISPLAY=wayland-k
    ;;
esac
compositor=$!
ps -C ibus-daemon,ibus-extension-gtk3,ibus-engine-simple -o args= | sort
echo "engine: $(ibus engine 2>/dev/null)"
timeout 400 python3 -u /opt/exact.py "$toolkit" "$way" "$@"
echo "status: $?"
echo "engine: $(ibus engine 2>/dev/null)"
sleep 3
ps -C ibus-daemon,ibus-extension-gtk3,ibus-engine-simple -o args= | sort
kill $compositor
