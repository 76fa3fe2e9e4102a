#!/bin/bash
# build.sh: builds the Kubernetes binaries from the Go modules in gomod/ into the cache, once.
#
#   build.sh [PART...]   PART: bare, full (the default) or a binary's name (gomod/binaries lists them)
#   build.sh --dir       prints the folder of the binaries and builds nothing
#
# Environment: OSTLER_CACHE (default: ${XDG_CACHE_HOME:-~/.cache}/ostler); KUBEBUILDER_ASSETS: etcd, kube-apiserver
# and kubectl found there are used and not built. Needs Go (see gomod/*/go.mod), no cgo. Cold on two idle cores:
# about 6 minutes; when all is there: under 0.2 s. Two runs at once are safe: the second waits for the first.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib/common.sh
. "$here/lib/common.sh"
# shellcheck source=lib/assets.sh
. "$here/lib/assets.sh"

dir=$(asset_dir)
if [[ ${1:-} == --dir ]]; then
  printf '%s\n' "$dir"
  exit
fi

# wanted PART...: the names of the binaries, one a line, in the order of gomod/binaries.
wanted() {
  local part names=()
  for part; do
    case $part in
    bare) names+=("${ASSETS_BARE[@]}") ;;
    full) names+=("${ASSETS_FULL[@]}") ;;
    *)
      grep -q "^$part " "$here/gomod/binaries" || die "no such part: $part (bare, full or a name of gomod/binaries)"
      names+=("$part")
      ;;
    esac
  done
  awk -v want=" ${names[*]} " '!/^#/ && index(want, " " $1 " ") {print $1}' "$here/gomod/binaries"
}

# missing NAME...: those that are neither built nor in KUBEBUILDER_ASSETS.
missing() {
  local n
  for n; do from_envtest "$n" || [[ -x $dir/$n ]] || printf '%s\n' "$n"; done
}

# build_one NAME: builds to a temporary name and moves, so that nobody ever sees half a binary.
build_one() {
  local name=$1 module package log=$dir/$1.log
  read -r _ module package < <(grep "^$name " "$here/gomod/binaries")
  if ! (cd "$here/gomod/$module" && CGO_ENABLED=0 GOFLAGS=-mod=readonly go build -trimpath -buildvcs=false \
    -ldflags "$(<ldflags)" -o "$dir/.$name.$$" "$package") >"$log" 2>&1; then
    printf ' failed\n' >&2
    rm -f "$dir/.$name.$$"
    blame "building $name" "$log"
  fi
  mv "$dir/.$name.$$" "$dir/$name"
  rm -f "$log"
}

parts=("$@")
((${#parts[@]})) || parts=(full)
mapfile -t names < <(wanted "${parts[@]}")
((${#names[@]})) || exit 1 # wanted said why
mapfile -t todo < <(missing "${names[@]}")
((${#todo[@]})) || exit 0

command -v go >/dev/null || die "Go is needed to build ${todo[*]}, and there is none in PATH"
mkdir -p "$dir"
trap 'rm -f "$dir"/.*."$$"' EXIT
exec {lock}>"$dir/.lock"
if ! flock --nonblock "$lock"; then
  say "waiting for another build in $dir"
  flock "$lock"
fi
mapfile -t todo < <(missing "${names[@]}")
n=0
for name in "${todo[@]}"; do
  n=$((n + 1))
  printf '[%d/%d] %s …' "$n" "${#todo[@]}" "$name" >&2
  SECONDS=0
  build_one "$name"
  printf ' %d s\n' "$SECONDS" >&2
done
