#!/bin/bash
# install-packages.sh: installs the Debian packages that building and testing Ostler needs. Quick when all are there.
#
#   install-packages.sh [SET...]     SET: build bare libvirt full images guest-image clients lint (default: all but lint)
#   install-packages.sh --list [SET...]   prints the packages and installs nothing
#
# Root, or a user with sudo. Go (for build.sh) and Rust are not installed here.
set -euo pipefail

packages_of() {
  case $1 in
  build) echo gcc libc6-dev pkg-config libvirt-dev ;;
  bare) echo openssl curl util-linux ;;
  libvirt) echo libvirt-daemon-system libvirt-clients qemu-system-x86 qemu-utils dnsmasq-base iproute2 iptables nftables tini util-linux genisoimage ;;
  full) packages_of bare && packages_of libvirt && echo containerd runc containernetworking-plugins conntrack ;;
  images) echo mmdebstrap python3 gcc libc6-dev ;;
  guest-image) echo binutils cpio dosfstools e2fsprogs fdisk kmod mtools qemu-utils syslinux syslinux-common ;;
  clients) echo python3-venv ;;
  lint) echo shellcheck ;;
  *)
    echo "${0##*/}: no such set: $1" >&2
    return 2
    ;;
  esac
}

list=0
[[ ${1:-} != --list ]] || { list=1 && shift; }
sets=("$@")
((${#sets[@]})) || sets=(build bare libvirt full images guest-image clients)
wanted=()
for set in "${sets[@]}"; do
  words=$(packages_of "$set")
  # shellcheck disable=SC2206 # package names are single words
  wanted+=($words)
done
mapfile -t wanted < <(printf '%s\n' "${wanted[@]}" | sort -u)
if ((list)); then
  printf '%s\n' "${wanted[@]}"
  exit
fi

installed=" $(dpkg-query -W -f '${Package}/${db:Status-Status} ' "${wanted[@]}" 2>/dev/null || true)"
missing=()
for package in "${wanted[@]}"; do
  [[ $installed == *" $package/installed "* ]] || missing+=("$package")
done
((${#missing[@]})) || exit 0

echo "installing ${missing[*]}" >&2
apt=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=600)
((EUID == 0)) || apt=(sudo "${apt[@]}")
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# The lists of a fresh machine are empty, those of an old one name packages that are gone.
if ! { "${apt[@]}" update && "${apt[@]}" install --yes --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
  echo "${0##*/}: apt-get failed:" >&2
  tail -n 15 "$log" >&2
  exit 1
fi
