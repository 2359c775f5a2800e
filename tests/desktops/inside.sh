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

permission() {
    gdbus call --session --dest org.freedesktop.impl.portal.PermissionStore \
        --object-path /org/freedesktop/impl/portal/PermissionStore --method "org.freedesktop.impl.portal.PermissionStore.$@"
}

until_so systemctl --user is-active default.target
# Started before there is a session, it would wait in vain for two minutes.
systemctl --user mask --runtime xdg-desktop-portal
case $desktop in
gnome)
    session XDG_CURRENT_DESKTOP=GNOME XDG_SESSION_TYPE=wayland
    gsettings set org.gnome.desktop.input-sources sources "[('xkb', 'us')]"
    gnome-shell --headless --wayland --no-x11 --virtual-monitor 1280x720 --wayland-display wayland-g --unsafe-mode \
        >/opt/out/gnome.log 2>&1 &
    compositor=$!
    until_so test -S "$XDG_RUNTIME_DIR/wayland-g"
    session WAYLAND_DISPLAY=wayland-g
    until_so js '!Main.layoutManager._startingUp'
    js 'Main.overview.hide()'
    until_so js '!Main.overview.visible'
    python3 /opt/keyboard.py &
    ;;
kde)
    session XDG_CURRENT_DESKTOP=KDE XDG_SESSION_TYPE=wayland KDE_FULL_SESSION=true QT_QPA_PLATFORM=wayland
    KWIN_WAYLAND_NO_PERMISSION_CHECKS=1 QT_QPA_PLATFORM= kwin_wayland --virtual --width 1280 --height 720 --no-lockscreen \
        --socket wayland-k >/opt/out/kwin.log 2>&1 &
    compositor=$!
    until_so test -S "$XDG_RUNTIME_DIR/wayland-k"
    session WAYLAND_DISPLAY=wayland-k
    # KWin takes no input method from us, but Qt speaks to IBus by itself where the user has set it up.
    [ "$way" != ibus ] || { session QT_IM_MODULE=ibus; ibus-daemon --daemonize --replace --panel disable; sleep 3; }
    ;;
esac

# The portals want a graphical session and a program that they know.
if [ "$way" = portal ]; then
    mkdir -p .config/systemd/user .local/share/applications
    printf '[Unit]\nBindsTo=graphical-session.target\n' >.config/systemd/user/desk.target
    printf '[Desktop Entry]\nType=Application\nName=Scriven\nExec=scrivend\n' >.local/share/applications/org.scriven.Scriven.desktop
    systemctl --user daemon-reload
    systemctl --user unmask --runtime xdg-desktop-portal
    systemctl --user start desk.target
    timeout 10 /opt/way permit 2>&1 &
    sleep 6
    /opt/picture dialog
    wait $!
    # The dialog is seen and not answered; what a yes would leave is written where the portal keeps it.
    token=3d1219c7-c4c5-404a-aa1f-6d2a48adfda4
    permission SetPermission remote-desktop true $token org.scriven.Scriven "['yes']"
    permission SetValue remote-desktop true $token "<('GNOME', uint32 1, <(int64 0, int64 0, uint32 1, false, @a(uuv) [])>)>"
    printf %s $token >/tmp/scriven-way.token
fi
ps -C ibus-daemon,ibus-extension-gtk3,ibus-engine-simple -o args= | sort
echo "engine: $(ibus engine 2>/dev/null)"
timeout 400 python3 -u /opt/exact.py "$toolkit" "$way" "$@"
echo "status: $?"
echo "engine: $(ibus engine 2>/dev/null)"
sleep 3
ps -C ibus-daemon,ibus-extension-gtk3,ibus-engine-simple -o args= | sort
kill $compositor
