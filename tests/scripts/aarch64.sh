#!/usr/bin/env bash
# aarch64.sh [FILTER...]: builds the recognizer's tests for 64-bit Arm on a PC and runs those that FILTER names (default: those
# of the kernels) under qemu: as a processor with dot products, and as one without.
#
# Compiler, linker, libraries and qemu come from Debian's packages, of a release (SUITE) whose compiler is new enough, into
# a folder below `target`, 4 GB with what is built; so neither this system nor its rustup changes. How long anything takes
# under qemu says nothing about a real processor.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
root=$(readlink -f "$here/../..")
work=${CARGO_TARGET_DIR:-$root/target}/aarch64
debian=$work/debian
cargo_home=${CARGO_HOME:-$HOME/.cargo}
mkdir -p "$work" "$cargo_home"
work=$(readlink -f "$work")

"$here/setup.sh" aarch64
if [ ! -e "$debian" ]; then
    echo "aarch64: unpacking Debian's compiler into $debian" >&2
    packages=(ca-certificates rustc cargo libstd-rust-dev:arm64 gcc libc6-dev gcc-aarch64-linux-gnu
        qemu-user libc6-dev:arm64 libgcc-s1:arm64)
    # A mirror may be older than its lists allow; who signed them is checked all the same.
    mmdebstrap --quiet --variant=apt --architectures=amd64,arm64 --aptopt='Acquire::Check-Valid-Until "false"' \
        --include="$(IFS=, && echo "${packages[*]}")" "${SUITE:-forky}" "$debian.new" >&2
    mv "$debian.new" "$debian"
fi

# inside COMMAND...: runs it with that compiler; what it may write is below `target` and in cargo's home.
inside() {
    bwrap --ro-bind "$debian/usr" /usr --ro-bind "$debian/etc" /etc --ro-bind /etc/resolv.conf /etc/resolv.conf \
        --symlink usr/bin /bin --symlink usr/lib /lib --symlink usr/lib64 /lib64 \
        --dev /dev --proc /proc --tmpfs /tmp \
        --ro-bind "$root" "$root" --bind "$work" "$work" --bind "$cargo_home" "$cargo_home" --chdir "$root" \
        --setenv PATH /usr/bin --setenv CARGO_HOME "$cargo_home" --setenv CARGO_TARGET_DIR "$work" "$@"
}

[ $# -gt 0 ] || set -- kernels::
for cpu in max cortex-a72; do
    echo "aarch64: on $cpu" >&2
    inside --setenv CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER aarch64-linux-gnu-gcc \
        --setenv CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER "qemu-aarch64 -cpu $cpu" \
        cargo test --locked -p scriven-recognizer --lib --target aarch64-unknown-linux-gnu -- "$@"
done
