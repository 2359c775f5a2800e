#!/usr/bin/env bash
# desk.sh CMD...: runs CMD at a desk of its own: a session bus, PipeWire and WirePlumber, and these devices:
#
#   virtmic     a microphone (the default one); it hears what is played to the sink virtmic_in
#   speakers    a sink (the default one); its monitor is the far side of a call
#
# Where SCRIVEN_BIN names a folder, its scrivend is started by the bus when it is first called.
#
# Sockets and settings are private (XDG_*), hardware and the services of the machine are left alone, so it runs
# beside a real desktop and in a bare container, as a user and as root. Everything ends with CMD; where CMD
# fails, the logs stay.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")

SCRIVEN_DESK=$(mktemp -d /tmp/scriven-desk.XXXXXX)
desk=$SCRIVEN_DESK
mkdir -p -m 700 "$desk"/{run,config/pipewire/pipewire.conf.d,config/wireplumber/wireplumber.conf.d,data,state,cache,log,services}
mkdir -p "$desk"/config/wireplumber/{main,bluetooth}.lua.d
export SCRIVEN_DESK XDG_RUNTIME_DIR=$desk/run XDG_CONFIG_HOME=$desk/config XDG_DATA_HOME=$desk/data
export XDG_STATE_HOME=$desk/state XDG_CACHE_HOME=$desk/cache
unset DISPLAY WAYLAND_DISPLAY PULSE_SERVER PIPEWIRE_REMOTE PIPEWIRE_RUNTIME_DIR DBUS_STARTER_ADDRESS

children=()
finish() {
    rc=$?
    trap - EXIT INT TERM HUP
    [ ${#children[@]} -eq 0 ] || { kill "${children[@]}" && wait "${children[@]}"; } 2>/dev/null || true
    if [ $rc -eq 0 ]; then
        rm -rf "$desk"
    else
        find "$desk" -mindepth 1 -maxdepth 1 ! -name log -exec rm -rf {} +
        echo "desk.sh: logs are in $desk/log" >&2
    fi
    exit $rc
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

# start NAME CMD...: a companion that cannot outlive this script.
start() {
    local name=$1
    shift
    setpriv --pdeathsig TERM "$@" >"$desk/log/$name.log" 2>&1 &
    children+=($!)
}

# wait_for WHAT CMD...: up to ten seconds.
wait_for() {
    local what=$1
    shift
    for _ in $(seq 200); do
        if "$@" >/dev/null 2>&1; then return; fi
        sleep 0.05
    done
    echo "desk.sh: no $what after ten seconds" >&2
    exit 1
}

cp "$here/bus.conf" "$desk/bus.conf"
if [ -n "${SCRIVEN_BIN:-}" ]; then
    printf '[D-BUS Service]\nName=org.scriven.Dictation1\nExec=%s\n' "$SCRIVEN_BIN/scrivend" \
        >"$desk/services/org.scriven.Dictation1.service"
fi
start bus dbus-daemon --config-file="$desk/bus.conf" --nofork --print-address=3 3>"$desk/address"
wait_for "session bus" test -s "$desk/address"
DBUS_SESSION_BUS_ADDRESS=$(<"$desk/address")
export DBUS_SESSION_BUS_ADDRESS

# The hardware of this machine belongs to its own session: first as WirePlumber 0.5 is told, then as 0.4 is (before its
# 90-enable-all.lua).
cat >"$desk/config/wireplumber/wireplumber.conf.d/90-no-hardware.conf" <<'CONF'
wireplumber.profiles = { main = { hardware.audio = disabled, hardware.bluetooth = disabled, hardware.video-capture = disabled } }
CONF
cat >"$desk/config/wireplumber/main.lua.d/80-no-hardware.lua" <<'LUA'
alsa_monitor.enabled = false
v4l2_monitor.enabled = false
libcamera_monitor.enabled = false
LUA
echo 'bluez_monitor.enabled = false' >"$desk/config/wireplumber/bluetooth.lua.d/80-no-hardware.lua"

cp "$here/devices.conf" "$desk/config/pipewire/pipewire.conf.d/"

start pipewire pipewire
wait_for "sound server" test -S "$XDG_RUNTIME_DIR/pipewire-0"
start wireplumber wireplumber
for node in speakers virtmic_in virtmic; do
    wait_for "device $node" sh -c "pw-cli list-objects Node | grep -q 'node.name = \"$node\"'"
done
pw-metadata 0 default.configured.audio.sink '{ "name": "speakers" }' Spa:String:JSON >/dev/null
pw-metadata 0 default.configured.audio.source '{ "name": "virtmic" }' Spa:String:JSON >/dev/null
wait_for "default microphone" sh -c "pw-metadata 0 default.audio.source | grep -q virtmic"
wait_for "microphone's feed" sh -c "pw-link --links | grep -q virtmic_tap"

"$@"
