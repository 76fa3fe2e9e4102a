#!/bin/bash
# figures.sh: what a Server costs, measured on the running demo. Prints figures and ratios; judges nothing.
#
#   figures.sh [N]      N guests, one after the other (default 3); two minutes
#
# References of the same run: the same disks and the same domain started by `virsh create` alone, and the memory of its
# QEMU. Machines differ, so the ratios are what can be compared.
set -euo pipefail
shopt -s inherit_errexit
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repo=$(cd "$here/../.." && pwd)
demo=${OSTLER_DEMO_DIR:-$repo/.demo}
count=${1:-3} project=demo idle_seconds=20
[[ -s $demo/env && $(cat "$demo/mode") == local ]] || { echo "there is no local demo in $demo: \`make demo\` first" >&2 && exit 1; }
# shellcheck source=/dev/null
. "$demo/env"

inside() { "$repo/tests/cluster/cluster" enter --dir "$demo/cluster" -- "$@"; }
now() { date +%s.%N; }
calc() { awk "BEGIN { printf \"%.2f\", $1 }"; }

# writes PATTERN: how many writing requests the API server has answered whose labels match.
writes() {
  kubectl get --raw /metrics |
    grep -E '^apiserver_request_total\{.*verb="(APPLY|CREATE|DELETE|PATCH|POST|PUT|UPDATE)"' | grep -vE 'subresource="token"' |
    awk -v p="$1" '$0 ~ p { n += $NF } END { print n + 0 }'
}
# Our Events are of events.k8s.io; the kubelet's are of the core group.
our_writes() { writes 'group="(compute.ostler.dev",resource="servers|events.k8s.io",resource="events)"'; }

# The lines of the table are `name | figure | reference | ratio`.
row() { printf '%-44s %12s   %-34s %s\n' "$@"; }

# median: of the numbers on stdin.
median() { sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

# ready_line FILE: waits for the guest's ready line. QEMU writes the file, so no client's start-up is in the figure.
ready_line() { inside timeout 120 sh -c "until grep -aq OSTLER-READY '$1' 2>/dev/null; do sleep 0.05; done"; }

uid_of() { kubectl -n "$project" get server "$1" -o jsonpath='{.metadata.uid}'; }

# guest NAME: seconds from `kubectl apply` to the ready line.
guest() {
  local start
  start=$(now)
  kubectl -n "$project" apply -f - >/dev/null <<Y
{apiVersion: compute.ostler.dev/v1alpha1, kind: Server, metadata: {name: $1},
 spec: {flavor: small, image: tiny, keyPair: me, networks: [{name: lan}]}}
Y
  ready_line "/var/lib/ostler/guests/$(uid_of "$1")/console.log"
  calc "$(now) - $start" && echo
  kubectl -n "$project" wait --for=condition=Ready "server/$1" --timeout=60s >/dev/null
}

# reference NAME: the same for `virsh create` of a copy of that guest, which must be stopped: it has the same address.
reference() {
  local uid dir=/var/lib/ostler/reference start
  uid=$(uid_of "$1")
  inside sh -c "rm -rf $dir && cp -a /var/lib/ostler/guests/$uid $dir && rm -f $dir/console.log"
  virsh dumpxml --inactive "ostler-$uid" |
    sed "s|/guests/$uid/|/reference/|g; s|<name>.*</name>|<name>reference</name>|; s|<uuid>.*</uuid>||; s|<entry name='uuid'>.*</entry>||; /<metadata>/,/<\/metadata>/d" >"$demo/reference.xml"
  start=$(now)
  virsh create "$demo/reference.xml" >/dev/null
  ready_line "$dir/console.log"
  calc "$(now) - $start" && echo
  virsh destroy reference >/dev/null
  inside rm -rf "$dir"
}

rss() { inside sh -c "awk '/VmRSS/ { print \$2 }' /proc/$1/status"; }

memory() {
  local pid name qemu
  qemu=$(rss "$(inside pgrep -f 'qemu-system.*guest=ostler-' | head -n 1)")
  for name in 'controller manager' 'controller node' 'api-shim serve'; do
    pid=$(inside pgrep -f "^[^ ]*$name" | head -n 1)
    row "memory of \`$name\`" "$(calc "$(rss "$pid") / 1024") MiB" "one guest's QEMU: $((qemu / 1024)) MiB" "$(calc "$(rss "$pid") / $qemu")"
  done
}

row WHAT FIGURE REFERENCE RATIO
before=$(our_writes)
elapsed=$(for ((i = 1; i <= count; i++)); do guest "figures-$i"; done | median)
sleep 2 # Events are written behind
made=$(our_writes)
sleep "$idle_seconds"
idle=$(($(our_writes) - made))
memory
kubectl -n "$project" patch server figures-1 --type merge -p '{"spec":{"powerState":"Stopped"}}' >/dev/null
kubectl -n "$project" wait --for=jsonpath='{.status.state.status}'=SHUTOFF server/figures-1 --timeout=90s >/dev/null
bare=$(for ((i = 1; i <= count; i++)); do reference figures-1; done | median)
row "kubectl apply to the guest's ready line" "$elapsed s" "virsh create, the same guest: $bare s" "$(calc "$elapsed / $bare")"
row "API writes a Server, until Ready, Events too" "$(calc "($made - $before) / $count - 1")" "the user's own: 1" "$(calc "($made - $before) / $count - 1")"
row "API writes of $count idle Servers in $idle_seconds s" "$idle" "" ""
start=$(now)
for ((i = 1; i <= count; i++)); do kubectl -n "$project" delete server "figures-$i" >/dev/null; done
row "kubectl delete, until nothing is left" "$(calc "($(now) - $start) / $count") s" "" ""
