#!/bin/bash
# demo.sh: brings up all of Ostler, applies docs/examples, and shows a guest that booted.
#
#   demo.sh up      quick when it is up already: it goes on from what is there
#   demo.sh down    removes all that `up` made
#
# Everything lives in .demo of the checkout: the cluster, logs, keys, and the file `env` for your own shell. Builds are
# kept in the cache (OSTLER_CACHE, default ${XDG_CACHE_HOME:-~/.cache}/ostler).
#
# With KUBECONFIG set, that cluster is used instead of a local one. Its nodes need libvirtd, and it must be able to pull
# the image: OSTLER_DEMO_IMAGE=REPOSITORY:TAG (see Dockerfile). The guest's image is then uploaded through the API.
#
# OSTLER_DEMO_DIR moves .demo; OSTLER_DEMO_KEEP_BINARIES=1 leaves out cargo (the binaries must be in CARGO_TARGET_DIR).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo=$(cd "$here/../.." && pwd)
demo=${OSTLER_DEMO_DIR:-$repo/.demo}
cache=${OSTLER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ostler}
# shellcheck disable=SC2034 # used by the parts
target=$("$here/../target-dir.sh")
# shellcheck disable=SC2034
namespace=ostler-system project=demo release=ostler
for part in steps prepare local-cluster named-cluster release guest env; do
  # shellcheck source=/dev/null
  . "$here/lib/$part.sh"
done

# Sets mode: where the demo runs already, or is to run. A shell that sourced .demo/env names the demo's own cluster.
choose_mode() {
  local before
  if [[ -n ${KUBECONFIG:-} && $KUBECONFIG != "$demo"/* ]]; then mode=named; else mode=local; fi
  before=$(cat "$demo/mode" 2>/dev/null || true)
  if [[ -n $before && ${KUBECONFIG:-} == "$demo"/* ]]; then mode=$before; fi
  if [[ -n $before && $before != "$mode" ]]; then
    echo "a demo in a $before cluster is here already (KUBECONFIG is ${KUBECONFIG:-not set}): \`make demo-down\` first" >&2
    exit 1
  fi
  printf '%s\n' "$mode" >"$demo/mode"
}

up() {
  mkdir -p "$demo/bin" "$demo/log"
  chmod 700 "$demo"
  choose_mode
  prepare_steps "$mode"
  "${mode}_cluster_steps"
  release_steps
  guest_steps
  run_steps
  write_env
  show_guest
  say_what_next
}

down() {
  [[ -d $demo ]] || { echo "there is no demo in $demo" && return; }
  mode=$(cat "$demo/mode" 2>/dev/null || echo local)
  "${mode}_cluster_down"
  rm -rf --one-file-system -- "$demo"
  echo "the demo is gone; builds are kept in $cache"
}

case ${1:-} in
up) up ;;
down) down ;;
*)
  sed -n '2,16p' "${BASH_SOURCE[0]}" | sed 's/^# \{0,1\}//'
  exit 2
  ;;
esac
