#!/bin/bash
# keeper.sh DIR ID LIFE: holds the sandbox of a full cluster on the host's side and clears up what the kernel leaves when
# it ends, in whatever way. `cluster up` starts it; not for use by hand.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=common.sh
. "$here/lib/common.sh"
# shellcheck source=sandbox.sh
. "$here/lib/sandbox.sh"
# shellcheck source=cgroup.sh
. "$here/lib/cgroup.sh"
# shellcheck source=link.sh
. "$here/lib/link.sh"
DIR=$1 ID=$2 life=$3

(
  cgroup_join "$(link_name "$ID")"
  exec unshare "${SANDBOX_NAMESPACES[@]}" --cgroup --fork --kill-child -- \
    tini -- bash "$here/lib/full-inside.sh" "$DIR" "$ID" "$life"
) >"$DIR/log/sandbox.log" 2>&1 </dev/null &
sandbox=$!
# A cluster whose folder was removed can be found by nobody any more: it ends.
while kill -0 "$sandbox" 2>/dev/null; do
  [[ -e $DIR/.ostler-cluster ]] || kill -KILL "$sandbox"
  sleep 2 &
  wait -n "$sandbox" "$!" || true
done
link_down "$ID"
cgroup_remove "$(link_name "$ID")" || true
