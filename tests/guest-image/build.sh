#!/bin/bash
# build.sh: the tiny guest of the tests: a disk image that boots from BIOS in seconds, from Debian's packages only.
#
#   build.sh [OUT.qcow2]     copies the image to OUT; without OUT prints its path in the cache (do not change it there)
#
# Needs no root and no mounts, but install-packages.sh guest-image and, once, the distribution's package server. The
# result is kept in the cache (OSTLER_CACHE, default ${XDG_CACHE_HOME:-~/.cache}/ostler) under a hash of this folder; the
# same packages give the same bytes. What the guest does and prints: README.md.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${OSTLER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ostler}
export PATH=$PATH:/usr/sbin:/sbin LC_ALL=C TZ=UTC

DATA_MIB=8
# One date and fixed ids for all that would take the time of day or a random number.
export SOURCE_DATE_EPOCH=1700000000 E2FSPROGS_FAKE_TIME=1700000000
DISK_ID=0x057131e5 FAT_ID=057131e5 DATA_UUID=05713105-0000-4000-8000-000000000001

MODULES=(virtio_pci virtio_blk virtio_scsi virtio_net virtio_console virtio_rng virtio_balloon virtio_mem
  vmw_vsock_virtio_transport sd_mod sr_mod ata_piix isofs vfat nls_cp437 nls_iso8859-1 nls_ascii nls_utf8 button evdev)
KERNEL_ARGS=(console=tty0 "console=ttyS0,115200" quiet loglevel=3 mitigations=off nokaslr random.trust_cpu=on net.ifnames=0
  cryptomgr.notests)

die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# recipe_hash: of this script and of the files that go into the guest.
recipe_hash() {
  (cd "$here" && find build.sh rootfs -type f -print0 | sort -z | xargs -0 stat -c '%a %n' -- &&
    cd "$here" && find build.sh rootfs -type f -print0 | sort -z | xargs -0 cat --) | sha256sum | cut -c1-12
}

# fetch_packages: unpacks into packages/ all that goes into the image, so that nothing depends on what this machine has.
fetch_packages() {
  local kernel package
  kernel=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/.*Depends: \(linux-image-[^ ]*\).*/\1/p' | head -n 1)
  [[ -n $kernel ]] || die "the package lists name no linux-image-cloud-amd64: run apt-get update"
  KERNEL=${kernel#linux-image-}
  mkdir debs packages
  (cd debs && apt-get -qq -o APT::Sandbox::User=root download "$kernel" busybox-static dropbear-bin qemu-guest-agent \
    libc6 libtomcrypt1 libtommath1 zlib1g libcrypt1 libgmp10 libglib2.0-0 libnuma1 libudev1 liburing2 libpcre2-8-0) >apt.log 2>&1 ||
    die "apt-get download failed: $(tail -n 3 apt.log)"
  for package in debs/*.deb; do dpkg-deb -x "$package" packages; done
}

# needed_by FILE: the shared libraries that an ELF file names.
needed_by() { readelf -d "$1" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p'; }

# add_libraries FILE...: what they need, and what that needs, into root/lib.
add_libraries() {
  local file name found todo=("$@")
  while ((${#todo[@]})); do
    file=${todo[0]} todo=("${todo[@]:1}")
    for name in $(needed_by "$file"); do
      [[ ! -e root/lib/x86_64-linux-gnu/$name ]] || continue
      found=$(find packages -name "$name" \( -type f -o -type l \) | sort | head -n 1)
      [[ -n $found ]] || die "no package has the library $name"
      cp -L "$found" "root/lib/x86_64-linux-gnu/$name"
      todo+=("$found")
    done
  done
  cp -L packages/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2 root/lib64/
  strip --strip-unneeded root/lib/x86_64-linux-gnu/*
}

# add_modules: MODULES and those that they need.
add_modules() {
  local from=packages/lib/modules/$KERNEL to=root/lib/modules/$KERNEL file module
  [[ -e $from/modules.dep ]] || depmod -b packages "$KERNEL"
  mkdir -p "$to"
  for module in "${MODULES[@]}"; do
    modprobe -d "$PWD/packages" -S "$KERNEL" --show-depends "$module" || die "the kernel has no module $module"
  done | awk '$1 == "insmod" {print $2}' | sort -u | while read -r file; do
    install -D -m 644 "$file" "$to/${file#*"/lib/modules/$KERNEL/"}"
    strip --strip-debug "$to/${file#*"/lib/modules/$KERNEL/"}"
  done
  cp "$from"/modules.{order,builtin,builtin.modinfo} "$to/"
  depmod -b root "$KERNEL"
  rm -f "$to"/modules.*.bin "$to/modules.builtin.modinfo"
}

# make_initramfs: the whole system; root/ -> initrd.
make_initramfs() {
  mkdir -p root/{bin,sbin,etc,proc,sys,dev,run,tmp,root,var/run,var/log,mnt,www,persist,lib/x86_64-linux-gnu,lib64,usr/bin,usr/sbin}
  cp -R "$here/rootfs/." root/
  chmod 600 root/etc/shadow
  cp packages/bin/busybox root/bin/
  ln -s ../bin/busybox root/sbin/init
  cp packages/usr/sbin/{dropbear,qemu-ga} root/usr/sbin/
  cp packages/usr/bin/{dropbearkey,dbclient} root/usr/bin/
  add_libraries root/usr/sbin/dropbear root/usr/sbin/qemu-ga
  add_modules
  find root -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
  (cd root && find . -mindepth 1 | sort | cpio --quiet --reproducible -R 0:0 -o -H newc) | gzip -9n >initrd
  cp "packages/boot/vmlinuz-$KERNEL" vmlinuz
}

# make_disk: MBR and SYSLINUX, a FAT partition to boot from, an ext4 partition that keeps what the guest writes.
make_disk() {
  local fat_mib=$((($(stat -c %s vmlinuz) + $(stat -c %s initrd)) / 1048576 + 3))
  truncate -s $(((1 + fat_mib + DATA_MIB + 1) * 1048576)) disk.raw
  sfdisk -q disk.raw <<E
label: dos
label-id: $DISK_ID
start=1MiB, size=${fat_mib}MiB, type=e, bootable
start=$((1 + fat_mib))MiB, size=${DATA_MIB}MiB, type=83
E
  dd if=/usr/lib/syslinux/mbr/mbr.bin of=disk.raw conv=notrunc bs=440 count=1 status=none
  cat >syslinux.cfg <<E
DEFAULT ostler
PROMPT 0
TIMEOUT 0
SERIAL 0 115200
LABEL ostler
  LINUX /vmlinuz
  INITRD /initrd
  APPEND ${KERNEL_ARGS[*]}
E
  touch --date="@$SOURCE_DATE_EPOCH" vmlinuz initrd syslinux.cfg
  truncate -s "${fat_mib}M" fat.img
  mkfs.fat --invariant -F 16 -i "$FAT_ID" -n OSTLERBOOT fat.img >/dev/null
  mcopy -m -i fat.img vmlinuz initrd syslinux.cfg ::/
  syslinux --install fat.img
  dd if=fat.img of=disk.raw bs=1M seek=1 conv=notrunc,sparse status=none
  mkdir data
  touch --date="@$SOURCE_DATE_EPOCH" data
  mke2fs -q -t ext4 -L ostler-data -U "$DATA_UUID" -O ^has_journal -d data \
    -E "offset=$(((1 + fat_mib) * 1048576)),root_owner=0:0,hash_seed=$DATA_UUID" disk.raw "${DATA_MIB}M"
  qemu-img convert -f raw -O qcow2 disk.raw image.qcow2
}

image=$cache/guest-image-$(recipe_hash).qcow2
if [[ ! -s $image ]]; then
  for command in apt-get cpio dpkg-deb mcopy mke2fs mkfs.fat modprobe qemu-img readelf sfdisk strip syslinux; do
    command -v "$command" >/dev/null || die "$command is missing (tests/cluster/install-packages.sh guest-image)"
  done
  mkdir -p "$cache"
  exec {lock}>"$cache/.guest-image.lock"
  flock "$lock" # a second run waits and finds the image
fi
if [[ ! -s $image ]]; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  cd "$work"
  SECONDS=0
  fetch_packages
  make_initramfs
  make_disk
  cp image.qcow2 "$image.new"
  mv "$image.new" "$image"
  printf 'built the guest image in %d s\n' "$SECONDS" >&2
  cd "$here"
fi
if (($#)); then
  mkdir -p "$(dirname "$1")"
  cp --reflink=auto -- "$image" "$1"
else
  printf '%s\n' "$image"
fi
