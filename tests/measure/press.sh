#!/usr/bin/env bash
# press.sh N [PRE_ROLL_S]: presses a key N times in each of several ways, and tells how long the first sample of the session
# takes from that moment, and what the daemon costs while nobody dictates. See README.md.
set -euo pipefail
if [ -n "${SCRIVEN_DESK:-}" ]; then
    # The daemon is started by the first call: it finds its configuration and its display.
    exec {number}<> <(:)
    Xvfb -displayfd "$number" -nolisten tcp >/dev/null 2>&1 &
    trap "kill $!" EXIT
    read -r display <&"$number"
    export DISPLAY=:$display
    dbus-update-activation-environment DISPLAY
    mkdir -p "$XDG_CONFIG_HOME/scriven"
    cat >"$XDG_CONFIG_HOME/scriven/config.toml" <<TOML
[capture]
pre_roll_s = ${2:-0}
[output]
mode = "none"
[[action]]
name = "dictate"
trigger = "F9"
TOML
fi
. "$(dirname "$(readlink -f "$0")")/desk_with_model.sh"
python3 - "${1:-20}" <<'PY'
import json, os, queue, re, statistics, subprocess, sys, threading, time

N = int(sys.argv[1])
CALL = ["gdbus", "call", "--session", "--dest", "org.scriven.Dictation1", "--object-path", "/org/scriven/Dictation1"]
PRESS = [*CALL, "--method", "org.scriven.Dictation1.Press", "dictate", "{}"]
RELEASE = [*CALL, "--method", "org.scriven.Dictation1.Release", "dictate"]
COMMANDS = ["scriven", "press"], ["scriven", "release"]
# Idle devices are suspended after 5 s.
WAYS = [
    ("scriven press", *COMMANDS, 1),
    ("the same, 7 s after the last", *COMMANDS, 7),
    ("Press on the bus (gdbus)", PRESS, RELEASE, 1),
    ("F9 on X11 (xdotool)", ["xdotool", "keydown", "F9"], ["xdotool", "keyup", "F9"], 1),
]

signals = queue.Queue()
listener = subprocess.Popen(["scriven", "listen", "--json"], stdout=subprocess.PIPE, text=True)


def read():
    for line in listener.stdout:
        signals.put(json.loads(line))


def wait_for(name):
    while True:
        signal = signals.get(timeout=30)
        if signal["signal"] == name:
            return signal


def run(command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def now():
    """µs of the clock of the signals."""
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000


def wait(press, release, pause):
    """ms from the press to the first sample."""
    time.sleep(pause)
    pressed = now()
    run(press)
    started = wait_for("SessionStarted")["info"]["monotonic"]
    time.sleep(0.3)
    run(release)
    wait_for("SessionEnded")
    return (started - pressed) / 1000


def cpu(pid):
    """CPU seconds of a process so far."""
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


threading.Thread(target=read, daemon=True).start()
while json.loads(subprocess.check_output(["scriven", "status", "--json"]))["model_state"] != "ready":
    time.sleep(0.2)
time.sleep(2)
print("press to first sample, ms:")
for name, press, release, pause in WAYS:
    waits = sorted(wait(press, release, pause) for _ in range(N))
    print(f"  {name}: median {statistics.median(waits):.0f}, worst {waits[-1]:.0f}, of {N}")
    print("    all:", " ".join(f"{ms:.0f}" for ms in waits))

bus = ["gdbus", "call", "--session", "--dest", "org.freedesktop.DBus", "--object-path", "/"]
pid = [*bus, "--method", "org.freedesktop.DBus.GetConnectionUnixProcessID", "org.scriven.Dictation1"]
pid = re.search(r"uint32 (\d+)", subprocess.check_output(pid, text=True)).group(1)
before = cpu(pid)
time.sleep(60)
print(f"while nobody dictates: {(cpu(pid) - before) / 60:.2%} of one core")
listener.kill()
PY
