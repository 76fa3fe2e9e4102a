#!/bin/bash
# build.sh: the container images of the local cluster, as OCI tars, without a registry.
#
#   build.sh [--bin-dir DIR] [--out DIR] [IMAGE...]     IMAGE: pause ostler (default: both)
#
# DIR of --bin-dir holds the binaries `controller` and `api-shim` (dynamically linked, built on this machine's glibc).
# Writes OUT/IMAGE.tar (default OUT: the cache) and prints their paths. Base layers are kept in the cache (OSTLER_CACHE),
# so that a build after a change of the binaries takes a second. `cluster load-image` takes the tars.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${OSTLER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ostler}/images

# What the image of Ostler holds besides its two binaries.
PACKAGES=(libc6 libgcc-s1 ca-certificates libvirt0 nftables qemu-utils)

die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

bin_dir='' out=$cache images=()
while (($#)); do
  case $1 in
  --bin-dir) bin_dir=${2:?--bin-dir needs a value} && shift 2 ;;
  --out) out=${2:?--out needs a value} && shift 2 ;;
  pause | ostler) images+=("$1") && shift ;;
  *) die "unknown argument: $1" ;;
  esac
done
((${#images[@]})) || images=(pause ostler)
mkdir -p "$out" "$cache"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# build_pause: a static binary in an otherwise empty image; made once.
build_pause() {
  local kept
  kept=$cache/pause-$(cat "$here/pause.c" "$here/oci.py" "$here/build.sh" | sha256sum | cut -c1-12).tar
  if [[ ! -s $kept ]]; then
    mkdir "$scratch/pause"
    "${CC:-cc}" -Os -static -s -o "$scratch/pause/pause" "$here/pause.c"
    "$here/oci.py" --name localhost/ostler/pause:1 --out "$scratch/pause.tar" --entrypoint /pause --user 65535:65535 "$scratch/pause"
    cp "$scratch/pause.tar" "$kept.$$"
    mv "$kept.$$" "$kept"
  fi
  cp --reflink=auto "$kept" "$out/pause.tar.$$"
  mv "$out/pause.tar.$$" "$out/pause.tar"
}

# build_ostler: base layer, and on top of it both binaries without their debug information. One image, as from the
# Dockerfile: the chart chooses the command.
build_ostler() {
  local base binary top=$scratch/ostler/usr/local/bin
  [[ -n $bin_dir ]] || die "--bin-dir is needed for ostler"
  base=$("$here/base.sh" "${PACKAGES[@]}")
  mkdir -p "$top"
  for binary in controller api-shim; do
    [[ -x $bin_dir/$binary ]] || die "no binary $bin_dir/$binary"
    strip --strip-debug -o "$top/$binary" "$bin_dir/$binary"
    chmod 755 "$top/$binary"
  done
  "$here/oci.py" --name localhost/ostler:dev --out "$out/ostler.tar" --user 65532:65532 "$base" "$scratch/ostler"
}

for image in "${images[@]}"; do
  "build_$image"
  printf '%s\n' "$out/$image.tar"
done
