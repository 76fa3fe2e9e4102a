#!/bin/bash
# check.sh: proves that the local clusters do what README.md says. Prints one line a check; fails when one failed.
#
#   check.sh [PART...]     PART: bare libvirt-node full (default: all); all but bare need root. About 70 s.
# shellcheck disable=SC2016 # what eval gets expands there
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib/common.sh
. "$here/lib/common.sh"

work=$(mktemp -d /tmp/ostler-check.XXXX)
chmod 755 "$work"
passed=0 failed=0

# check TEXT CMD...: one line; the output of CMD only when it fails.
check() {
  local text=$1 out
  shift
  if out=$("$@" 2>&1); then
    passed=$((passed + 1))
    printf 'ok    %s\n' "$text"
  else
    failed=$((failed + 1))
    printf 'FAIL  %s\n%s\n' "$text" "$(tail -n 5 <<<"$out" | sed 's/^/        /')"
  fi
}

# within SECONDS CMD...: for things that take their time.
within() { wait_until "$@"; }

finish() {
  local status=$? dir
  for dir in "$work"/{full,run,other}; do [[ ! -e $dir ]] || "$here/cluster" down --dir "$dir" --purge || true; done
  [[ ! -e $work/node ]] || "$here/libvirt-node" down --dir "$work/node" --purge || true
  rm -rf "$work"
  printf '%d passed, %d failed\n' "$passed" "$failed"
  ((status)) || ((failed == 0)) || status=1
  exit "$status"
}
trap finish EXIT

# no_process TEXT: none has TEXT in its command line but this script.
no_process() { ! pgrep -f -- "$1" | grep -vxE "$$|$BASHPID" | grep -q .; }
no_trace() { no_process "$1/" && [[ ! -e $1 ]] && ! grep -q "$1" /proc/mounts; }

# ---- clusters in the foreground

# start SIZE NAME [FLAG...]: in the background; sets RUNNER; its stdin is a pipe whose write end is $HOLD.
start() {
  local size=$1 name=$2 line
  shift 2
  mkfifo "$work/$name.in" "$work/$name.out"
  "$here/cluster" run --size "$size" --dir "$work/$name" "$@" <"$work/$name.in" >"$work/$name.out" 2>"$work/$name.err" &
  RUNNER=$!
  exec {HOLD}>"$work/$name.in"
  IFS= read -r line <"$work/$name.out" || true
  rm "$work/$name".{in,out}
  [[ $line == "READY $work/$name/kubeconfig" ]] || die "$size cluster $name: '$line' $(<"$work/$name.err")"
}

kubectl_() { NO_PROXY='*' no_proxy='*' "$("$here/build.sh" --dir)/kubectl" "$@"; }
answers() { [[ $(kubectl_ --kubeconfig "$work/$1/kubeconfig" get --raw /readyz) == ok ]]; }
serves_policies() {
  local list
  list=$(kubectl_ --kubeconfig "$work/$1/kubeconfig" get --raw /apis/admissionregistration.k8s.io/v1)
  [[ $list == *'"mutatingadmissionpolicies"'* && $list == *'"validatingadmissionpolicies"'* ]]
}
has_default_account() { kubectl_ --kubeconfig "$work/$1/kubeconfig" get serviceaccount default; }

check_bare() {
  local one two hold_one t0
  "$here/build.sh" bare
  t0=$(now_ms)
  start bare two
  two=$RUNNER
  printf '      bare: ready after %s s\n' "$(seconds_since "$t0")"
  start bare one --tie-to-stdin # the later one: its pipe has no other writer
  one=$RUNNER hold_one=$HOLD
  check "bare: two side by side answer" eval 'answers one && answers two'
  check "bare: admission policies v1 are served" serves_policies one
  check "bare: the service account default appears" within 15 has_default_account one
  exec {hold_one}>&-
  check "bare: the end of stdin ends it" within 5 no_trace "$work/one"
  check "bare: its runner has ended" wait_for "$one"
  check "bare: the other goes on" answers two
  kill -9 "$two"
  wait "$two" 2>/dev/null || true
  check "bare: kill -9 of the runner leaves nothing" within 5 no_trace "$work/two"
  exec {HOLD}>&-
  start bare three
  kill -TERM "$RUNNER"
  check "bare: SIGTERM ends it with success" wait_for "$RUNNER"
  check "bare: SIGTERM leaves nothing" within 2 no_trace "$work/three"
  exec {HOLD}>&-
}

# wait_for PID: its exit status; in a subshell it is no child, so poll.
wait_for() { within 5 gone "$1"; }
gone() { ! kill -0 "$1" 2>/dev/null || [[ $(ps -o stat= -p "$1") == Z* ]]; }

# ---- guests, as both kinds of node run them

# domain NAME DIR: a domain of the tiny guest; DIR is where libvirtd sees the disk.
domain() {
  cat <<E
<domain type='qemu'><name>$1</name><memory unit='MiB'>128</memory><vcpu>1</vcpu>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <features><acpi/><tcg><tb-cache unit='MiB'>32</tb-cache></tcg></features>
  <devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='$2/$1.qcow2'/><target dev='vda' bus='virtio'/></disk>
    <serial type='pty'><log file='$2/$1.log' append='on'/></serial><console type='pty'/></devices></domain>
E
}

# boot URI NAME SEEN REAL: defines and starts NAME; SEEN and REAL are the state folder inside and outside.
boot() {
  "$here/../guest-image/build.sh" "$4/$2.qcow2"
  domain "$2" "$3" >"$work/$2.xml"
  virsh -q -c "$1" define "$work/$2.xml" && virsh -q -c "$1" start "$2"
}
console_says() { grep -aq "$2" "$1"; }
running() { [[ $(virsh -c "$1" domstate "$2") == running* ]]; }

nat_network() {
  cat <<E
<network><name>n</name><forward mode='nat'/><bridge name='virbr0'/>
  <ip address='192.168.150.1' netmask='255.255.255.0'><dhcp><range start='192.168.150.10' end='192.168.150.99'/></dhcp></ip></network>
E
}

check_libvirt_node() {
  local uri node=$here/libvirt-node dir=$work/node state=$work/closed/state
  mkdir -p "$state"
  chmod 700 "$work/closed"
  uri=$("$node" up --dir "$dir" --state "$state")
  check "libvirt-node: a guest boots to OSTLER-READY, its disk below a closed folder" boot "$uri" g1 "$state" "$state"
  check "libvirt-node: OSTLER-READY on the console" within 60 console_says "$state/g1.log" OSTLER-READY
  check "libvirt-node: a NAT network starts" eval 'virsh -q -c "$uri" net-create <(nat_network)'
  check "libvirt-node: restart ends libvirtd only" eval '"$node" restart --dir "$dir" && running "$uri" g1'
  "$node" down --dir "$dir"
  check "libvirt-node: down ends the guest" no_process "$state/g1"
  "$node" up --dir "$dir" --state "$state" >/dev/null
  check "libvirt-node: the domain is still defined, shut off" eval '[[ $(virsh -c "$uri" domstate g1) == "shut off"* ]]'
  "$node" down --dir "$dir" --purge
  check "libvirt-node: nothing is left" within 3 no_trace "$dir"
}

# ---- full

full() { "$here/cluster" "$1" --dir "$work/full" "${@:2}"; }
k() { kubectl_ --kubeconfig "$work/full/kubeconfig" "$@"; }

# greets ADDRESS PORT: qemu-nbd's first bytes.
greets() { [[ $(timeout 3 bash -c 'exec 3<>"/dev/tcp/$0/$1" && head -c 8 <&3' "$1" "$2") == NBDMAGIC ]]; }
greets_inside() { full enter -- timeout 3 bash -c 'exec 3<>"/dev/tcp/$0/$1" && [[ $(head -c 8 <&3) == NBDMAGIC ]]' "$1" "$2"; }
guest_pid() { full enter -- pgrep -f 'qemu-system.*guest=g2'; }
same_guest() { [[ $(guest_pid) == "$1" ]]; }
pod_ready() { [[ $(k get pod server -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}') == True ]]; }

# kill_daemon NAME: and wait for its supervisor to have started another.
kill_daemon() {
  local old
  old=$(full enter -- pgrep -x "$1" | head -n 1)
  full enter -- kill -9 "$old"
  within 10 started_anew "$1" "$old"
}
started_anew() {
  local now
  now=$(full enter -- pgrep -x "$1" | head -n 1)
  [[ -n $now && $now != "$2" ]]
}

no_cgroups() { ! find /sys/fs/cgroup -maxdepth 2 -name "ostler-$1" | grep -q .; }
no_link() { ! ip link show "ostler-$1" && ! ip route | grep -q "ostler-$1"; }

check_full() {
  local uri cluster_ip node_port node_ip id pid t0 name
  t0=$(now_ms)
  full up --size full --life 600 >/dev/null
  printf '      full: up after %s s\n' "$(seconds_since "$t0")"
  id=$(<"$work/full/id") node_ip=$(full status | sed -n 's/^node_ip=//p') uri=$(full status | sed -n 's/^libvirt_uri=//p')
  # Any program is good enough on top of the base layer.
  mkdir "$work/bin"
  cp /bin/true "$work/bin/controller"
  cp /bin/true "$work/bin/api-shim"
  "$here/../images/build.sh" --bin-dir "$work/bin" --out "$work/images" ostler >/dev/null
  check "full: load-image" full load-image "$work/images/ostler.tar"
  k create -f - >/dev/null <<'E'
apiVersion: v1
kind: Pod
metadata: {name: server, labels: {app: server}}
spec:
  containers:
  - name: server
    image: localhost/ostler:dev
    imagePullPolicy: Never
    command: [/usr/bin/qemu-nbd, --persistent, --shared=0, --read-only, --format=raw, --port=10809, /etc/passwd]
    readinessProbe: {tcpSocket: {port: 10809}, periodSeconds: 1}
---
apiVersion: v1
kind: Service
metadata: {name: server}
spec: {type: NodePort, selector: {app: server}, ports: [{port: 80, targetPort: 10809}]}
E
  check "full: a pod of our base image is Ready" k wait --for=condition=Ready pod/server --timeout=60s
  check "full: exec in it" k exec server -- /usr/bin/qemu-img --version
  cluster_ip=$(k get service server -o 'jsonpath={.spec.clusterIP}')
  node_port=$(k get service server -o 'jsonpath={.spec.ports[0].nodePort}')
  check "full: ClusterIP from the node" within 10 greets_inside "$cluster_ip" 80
  check "full: NodePort from the user's shell" within 10 greets "$node_ip" "$node_port"
  check "full: the service account's token is mounted" eval 'k get pod server -o yaml | grep -q kube-api-access'

  check "full: a guest starts, seen through the socket from the user's shell" boot "$uri" g2 /var/lib/ostler "$work/full/state"
  check "full: it boots to OSTLER-READY" within 60 console_says "$work/full/state/g2.log" OSTLER-READY
  pid=$(guest_pid)
  for name in kubelet containerd libvirtd; do
    check "full: $name is killed and starts again" kill_daemon "$name"
    check "full: the guest's pid is the same" same_guest "$pid"
  done
  check "full: the pod is still Ready" within 20 pod_ready
  check "full: libvirtd knows the guest" within 10 running "$uri" g2

  start full run --tie-to-stdin
  "$here/cluster" status --dir "$work/run" >/dev/null
  exec {HOLD}>&-
  check "full: the end of stdin ends one in the foreground" within 10 no_trace "$work/run"
  start full run
  kill -9 "$RUNNER"
  wait "$RUNNER" 2>/dev/null || true
  check "full: so does kill -9 of its runner" within 10 no_trace "$work/run"
  exec {HOLD}>&-

  "$here/cluster" up --size full --dir "$work/other" --life 8 >/dev/null
  check "full: a second one side by side" eval '[[ $(<"$work/other/id") != "$id" ]] && k get --raw /readyz'
  full down
  check "full: down leaves no process" within 3 no_process "$work/full/"
  check "full: down leaves no cgroup" no_cgroups "$id"
  check "full: down leaves no link and no route" no_link "$id"
  check "full: down leaves no mount" eval '! grep -q "$work/full" /proc/mounts'
  full down --purge
  check "full: --purge removes the folder" eval '[[ ! -e $work/full ]]'
  id=$(<"$work/other/id")
  check "full: --life ends the other, cgroups and link too" within 20 eval 'no_process "$work/other/" && no_cgroups "$id" && no_link "$id"'
}

parts=("$@")
((${#parts[@]})) || parts=(bare libvirt-node full)
for part in "${parts[@]}"; do
  case $part in
  bare) check_bare ;;
  libvirt-node) check_libvirt_node ;;
  full) check_full ;;
  *) die "no such part: $part" ;;
  esac
done
