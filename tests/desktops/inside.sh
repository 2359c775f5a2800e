#!/bin/bash
# inside.sh gnome|kde WAY TOOLKIT ROUNDS LAYOUT...: starts the desktop in the session of the user who runs it, without a screen,
# and lets exact.py or, with the whole daemon, daemon.py type there. Run by run.sh, in the tree.
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
    [[ $way != *ibus ]] || { session QT_IM_MODULE=ibus; ibus-daemon --daemonize --replace --panel disable; sleep 3; }
    ;;
esac

# The portals want a graphical session and a program that they know.
portals() {
    mkdir -p .config/systemd/user .local/share/applications
    printf '[Unit]\nBindsTo=graphical-session.target\n' >.config/systemd/user/desk.target
    printf '[Desktop Entry]\nType=Application\nName=Scriven\nExec=/opt/bin/scrivend\n' >.local/share/applications/org.scriven.Scriven.desktop
    systemctl --user daemon-reload
    systemctl --user unmask --runtime xdg-desktop-portal
    systemctl --user start desk.target
}

# permit CMD...: asks for the permission, and answers the dialog.
permit() {
    "$@" 2>&1 &
    sleep 6
    /opt/picture dialog
    timeout 40 python3 -u /opt/consent.py "Allow Remote Interaction" Share || echo "the dialog was not answered"
    /opt/picture answered
    wait $!
    echo "permit: status $?"
}

# Where the dialog is not answered: what a yes would leave, written where the portal keeps it.
grant() {
    local token=3d1219c7-c4c5-404a-aa1f-6d2a48adfda4
    permission SetPermission remote-desktop true $token org.scriven.Scriven "['yes']"
    permission SetValue remote-desktop true $token "<('GNOME', uint32 1, <(int64 0, int64 0, uint32 1, false, @a(uuv) [])>)>"
    mkdir -p "$(dirname "$1")"
    printf %s $token >"$1"
}

is_microphone() {
    pw-metadata 0 default.configured.audio.source "{ \"name\": \"$1\" }" Spa:String:JSON
    pw-metadata 0 default.audio.source | grep -q "$1"
}

# A microphone that hears what is played to `virtmic_in`, and the daemon with this configuration.
daemon() {
    mkdir -p .config/{pipewire/pipewire.conf.d,scriven}
    cp /opt/devices.conf .config/pipewire/pipewire.conf.d/
    systemctl --user restart pipewire wireplumber
    until_so is_microphone virtmic
    until_so sh -c 'pw-link --links | grep -q virtmic_tap'
    printf '%s\n' "$1" >.config/scriven/config.toml
    RUST_LOG=debug scrivend 2>/opt/out/scrivend.log &
    until_so scriven status
    [ -d .local/share/scriven/models/tiny.en ] || scriven model import tiny.en /opt/tiny.en
    until_so sh -c 'scriven status --json | grep -q "\"model_state\":\"ready\""'
}

export PATH=/opt/bin:$PATH
case $way in
scriven-*)
    [ $desktop = kde ] || portals
    daemon "output.way = '${way#scriven-}'"
    scriven doctor
    if [ $desktop = gnome ]; then
        permit scriven permit
        [ -s .local/state/scriven/portal-token ] || grant .local/state/scriven/portal-token
        ls -l .local/state/scriven/
        scriven doctor | grep way
    fi
    test=(daemon.py "$toolkit")
    ;;
portal)
    portals
    permit /opt/way permit
    [ -s /tmp/scriven-way.token ] || grant /tmp/scriven-way.token
    test=(exact.py "$toolkit" "$way")
    ;;
*) test=(exact.py "$toolkit" "$way") ;;
esac
ps -C ibus-daemon,ibus-extension-gtk3,ibus-engine-simple -o args= | sort
echo "engine: $(ibus engine 2>/dev/null)"
(cd /opt && timeout 450 python3 -u "${test[@]}" "$@")
echo "status: $?"
echo "engine: $(ibus engine 2>/dev/null)"
sleep 3
ps -C ibus-daemon,ibus-extension-gtk3,ibus-engine-simple -o args= | sort
kill $compositor
