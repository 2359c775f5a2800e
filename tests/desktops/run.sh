#!/usr/bin/env bash
# run.sh TREE gnome|kde WAY gtk|qt ROUNDS LAYOUT...: types through WAY in a real desktop without a screen: `ibus` or `portal` by
# itself, or by the whole daemon, which also hears speech: `scriven-auto`, `scriven-ibus`, `scriven-portal` (its `way`). KDE has
# IBus only where the name ends with it.
#
# TREE is a folder with Debian 13 in it; it is made if it is not there (2 GB, some minutes), booted with systemd-nspawn,
# and halted at the end. Needs root, mmdebstrap and systemd-container, what `tests/scripts/setup.sh` brings, and the programs:
# `cargo build --workspace --bins --example way`. Results come on stdout, pictures and logs are in TREE/opt/out.
set -euo pipefail
[ $# -ge 6 ] || { sed -n 's/^# //; 2p' "$0" >&2; exit 2; }
tree=$1
shift
here=$(dirname "$(readlink -f "$0")")
target=${CARGO_TARGET_DIR:-$here/../../target}
sentence=/usr/share/pocketsphinx/test/data/librivox/sense_and_sensibility_01_austen_64kb-0930.wav
packages=(systemd systemd-sysv dbus dbus-user-session libpam-systemd procps psmisc python3 python3-gi gir1.2-gtk-4.0
    gnome-shell xwayland ibus ibus-gtk4 xdg-desktop-portal xdg-desktop-portal-gnome pipewire wireplumber libglib2.0-bin
    dconf-gsettings-backend gsettings-desktop-schemas fonts-dejavu-core fonts-noto-color-emoji kwin-wayland
    xdg-desktop-portal-kde kglobalacceld python3-pyqt6 qt6-wayland libpipewire-0.3-0t64 libasound2t64 pipewire-bin
    pipewire-pulse at-spi2-core gir1.2-atspi-2.0)

if [ ! -d "$tree" ]; then
    mmdebstrap --variant=apt --include="$(IFS=,; echo "${packages[*]}")" trixie "$tree"
    chroot "$tree" useradd -m -u 1500 -s /bin/bash tester
    mkdir -p "$tree/var/lib/systemd/linger"
    touch "$tree/var/lib/systemd/linger/tester"
fi

rm -rf "$tree/opt/out"
install -d -o 1500 -g 1500 "$tree/opt/out"
install -m755 "$target/debug/examples/way" "$tree/opt/way"
install -Dm755 -t "$tree/opt/bin" "$target"/debug/{scrivend,scriven}
install -m755 "$here/inside.sh" "$tree/opt/inside.sh"
install -m755 "$here/picture.sh" "$tree/opt/picture"
install -m644 -t "$tree/opt" "$here"/*.py "$here/../scripts/devices.conf"
install -Dm644 -t "$tree/opt/tiny.en" "$here"/../data/cache/tiny.en/*.{bin,json,txt}
install -m644 "$sentence" "$tree/opt/sentence.wav"
cat >"$tree/etc/systemd/system/autotest.service" <<UNIT
[Unit]
After=user@1500.service
Wants=user@1500.service
[Service]
Type=oneshot
TimeoutStartSec=600
ExecStart=/bin/sh -c 'setpriv --reuid tester --regid tester --init-groups --reset-env /opt/inside.sh $* >/opt/out/result.txt 2>&1; systemctl poweroff'
UNIT
mkdir -p "$tree/etc/systemd/system/multi-user.target.wants"
ln -sf ../autotest.service "$tree/etc/systemd/system/multi-user.target.wants/autotest.service"
SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 timeout 900 systemd-nspawn -q -D "$tree" --register=no --keep-unit --private-network \
    --bind=/dev/fuse --boot --console=pipe </dev/null >"$tree/opt/boot.log" 2>&1 || true
cat "$tree/opt/out/result.txt"
