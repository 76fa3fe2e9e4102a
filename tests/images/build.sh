#!/bin/bash
# build.sh: the container images of the local cluster, as OCI tars, without a registry.
#
#   build.sh [--bin-dir DIR] [--out DIR] [IMAGE...]     IMAGE: pause controller api-shim (default: all)
#
# DIR of --bin-dir holds the binaries `controller` and `api-shim` (dynamically linked, built on this machine's glibc).
# Writes OUT/IMAGE.tar (default OUT: the cache) and prints their paths. Base layers are kept in the cache (OSTLER_CACHE),
# so that a build after a change of the binaries takes a second. `cluster load-image` takes the tars.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${OSTLER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ostler}/images

# What each image holds besides its binary.
CONTROLLER_PACKAGES=(libc6 libgcc-s1 ca-certificates libvirt0 qemu-utils)
API_SHIM_PACKAGES=(libc6 libgcc-s1 ca-certificates)

die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

bin_dir='' out=$cache images=()
while (($#)); do
  case $1 in
  --bin-dir) bin_dir=${2:?--bin-dir needs a value} && shift 2 ;;
  --out) out=${2:?--out needs a value} && shift 2 ;;
  pause | controller | api-shim) images+=("$1") && shift ;;
  *) die "unknown argument: $1" ;;
  esac
done
((${#images[@]})) || images=(pause controller api-shim)
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

# build_program NAME PACKAGE...: base layer, and on top of it the binary without its debug information.
build_program() {
  local name=$1 base
  [[ -n $bin_dir ]] || die "--bin-dir is needed for $name"
  [[ -x $bin_dir/$name ]] || die "no binary $bin_dir/$name"
  base=$("$here/base.sh" "${@:2}")
  mkdir -p "$scratch/$name/usr/local/bin"
  strip --strip-debug -o "$scratch/$name/usr/local/bin/$name" "$bin_dir/$name"
  chmod 755 "$scratch/$name/usr/local/bin/$name"
  "$here/oci.py" --name "localhost/ostler/$name:dev" --out "$out/$name.tar" --entrypoint "/usr/local/bin/$name" \
    --user 65532:65532 "$base" "$scratch/$name"
}

for image in "${images[@]}"; do
  case $image in
  pause) build_pause ;;
  controller) build_program controller "${CONTROLLER_PACKAGES[@]}" ;;
  api-shim) build_program api-shim "${API_SHIM_PACKAGES[@]}" ;;
  esac
  printf '%s\n' "$out/$image.tar"
done
