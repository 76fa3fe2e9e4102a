#!/bin/bash
# base.sh PACKAGE...: the base layer of an image: a glibc userland from the distribution's packages, without a shell.
# Prints the path of its tar in the cache; made once for a list of packages (and for this script).
#
# Environment: OSTLER_CACHE; OSTLER_APT_SOURCES: the list of package servers to use (default: the machine's own).
# The suite is the machine's own, because the binaries that go on top are linked against its glibc.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${OSTLER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ostler}/images
export SOURCE_DATE_EPOCH=1700000000

die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

(($#)) || die "usage: base.sh PACKAGE..."
# shellcheck source=/dev/null
suite=$(. /etc/os-release && printf '%s' "$VERSION_CODENAME")
base=$cache/base-$({ printf '%s\n' "$suite" "$@" && cat "$here/base.sh" "$here/base-hook.sh"; } | sha256sum | cut -c1-12).tar
if [[ -s $base ]]; then
  printf '%s\n' "$base"
  exit
fi

sources=
for file in "${OSTLER_APT_SOURCES:-}" /etc/apt/sources.list.d/{debian,ubuntu}.sources /etc/apt/sources.list; do
  [[ -s $file ]] && { sources=$file && break; }
done
[[ -n $sources ]] || die "found no list of package servers: set OSTLER_APT_SOURCES"
command -v mmdebstrap >/dev/null || die "mmdebstrap is missing (tests/cluster/install-packages.sh images)"

mkdir -p "$cache"
exec {lock}>"$cache/.lock"
flock "$lock"
if [[ ! -s $base ]]; then
  SECONDS=0
  trap 'rm -f "$base.new" "$base.log"' EXIT
  # The variant extract unpacks and runs no maintainer script; of mmdebstrap's hooks only the extract hook runs in it.
  mmdebstrap --quiet --variant=extract --format=tar \
    --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='APT::Install-Recommends "false"' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
    --dpkgopt='path-include=/usr/share/doc/*/copyright' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --include="$(IFS=,; printf '%s' "$*")" --extract-hook="$here/base-hook.sh \"\$1\"" --skip=output/dev \
    "$suite" "$base.new" "$sources" >"$base.log" 2>&1 || die "mmdebstrap failed: $(tail -n 5 "$base.log")"
  mv "$base.new" "$base"
  printf 'made the base layer of %s in %d s\n' "$*" "$SECONDS" >&2
fi
printf '%s\n' "$base"
