#!/bin/bash
# full-inside.sh DIR ID LIFE: runs below tini in the sandbox of `cluster up --size full`; not for use by hand.
# Starts all daemons, each under supervision; its end is the sandbox's end. Progress goes to DIR/log/progress.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=common.sh
. "$here/lib/common.sh"
# shellcheck source=assets.sh
. "$here/lib/assets.sh"
# shellcheck source=control-plane.sh
. "$here/lib/control-plane.sh"
# shellcheck source=sandbox.sh
. "$here/lib/sandbox.sh"
# shellcheck source=inside.sh
. "$here/lib/inside.sh"
# shellcheck source=cgroup.sh
. "$here/lib/cgroup.sh"
# shellcheck source=link.sh
. "$here/lib/link.sh"
# shellcheck source=node.sh
. "$here/lib/node.sh"
# shellcheck source=libvirt.sh
. "$here/lib/libvirt.sh"
DIR=$1 ID=$2 life=$3
PKI=$DIR/pki NODE=$(<"$DIR/node") NODE_IP=$(node_ip "$ID")

report() { printf '%s\n' "$*" >>"$DIR/log/progress"; }

# The kubelet sets these for the whole machine: it shall find them set, in files of our own.
guard_sysctls() {
  local entry
  mkdir -p /run/ostler-sysctl
  for entry in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1; do
    printf '%s\n' "${entry#*=}" >"/run/ostler-sysctl/$(basename "${entry%=*}")"
    mount --bind "/run/ostler-sysctl/$(basename "${entry%=*}")" "/proc/sys/${entry%=*}"
  done
}

mounts() {
  local version=v1 hierarchies folder
  ! cgroup_v2 || version=v2
  hierarchies=$(cgroup_hierarchies)
  own_mounts
  cgroup_mounts "$version" "$hierarchies"
  private run /run
  mkdir -p /run/netns /run/lock
  guard_sysctls
  libvirt_mounts
  for folder in var/lib/kubelet var/lib/cni var/log/pods var/log/containers; do private "$folder" "/$folder"; done
  private state /var/lib/ostler
  chmod 0755 "$DIR/state"
  name_host "$NODE" "$NODE_IP"
  mount --make-rshared / # the kubelet's volumes propagate to the containers
}

# The default route leads to the bridge, where nobody answers: the kernel wants one before it turns a ClusterIP around.
network() {
  ip link set lo up
  ip link add node0 type bridge
  ip addr add "$NODE_IP/24" dev node0
  ip link set node0 up
  ip route add default dev node0
  echo 1 >/proc/sys/net/ipv4/ip_forward
  wait_until 30 ip link set link0 master node0 || die "the link to the host did not come"
  ip link set link0 up
}

containerctl() { ctr --address "$CONTAINERD_SOCKET" --namespace k8s.io "$@"; }

apiserver_flags=(--bind-address=0.0.0.0
  --kubelet-certificate-authority="$PKI/ca.crt" --kubelet-preferred-address-types=InternalIP
  --kubelet-client-certificate="$PKI/apiserver-kubelet.crt" --kubelet-client-key="$PKI/apiserver-kubelet.key"
  --enable-aggregator-routing=true)

announce_init
mounts
network
report "sandbox"

assets=$(asset_dir)
etcd_command "$(asset etcd "$assets")" http://127.0.0.1:2379
supervise etcd "${CMD[@]}"
apiserver_command "$(asset kube-apiserver "$assets")" http://127.0.0.1:2379 "$NODE_IP" 6443 "${apiserver_flags[@]}"
supervise kube-apiserver "${CMD[@]}"
supervise containerd containerd --config "$DIR/conf/containerd.toml"
libvirt_start

wait_until 60 containerctl version || blame "starting containerd" "$DIR/log/containerd.log"
containerctl images import "$DIR/conf/pause.tar" >>"$DIR/log/import.log" 2>&1 ||
  blame "importing the pause image" "$DIR/log/import.log"
report "containerd"
wait_until 120 apiserver_ready 127.0.0.1 6443 || blame "starting kube-apiserver" "$DIR/log/kube-apiserver.log"
report "API server"

controller_manager_command "$assets/kube-controller-manager" "$PKI/controller-manager.kubeconfig"
supervise kube-controller-manager "${CMD[@]}"
supervise kube-scheduler "$assets/kube-scheduler" --kubeconfig="$PKI/scheduler.kubeconfig" \
  --leader-elect=false --bind-address=127.0.0.1
supervise kubelet "$assets/kubelet" --config="$DIR/conf/kubelet.yaml" --kubeconfig="$PKI/kubelet.kubeconfig" \
  --node-ip="$NODE_IP" --hostname-override="$NODE" --root-dir=/var/lib/kubelet --cert-dir="$PKI"
supervise kube-proxy "$assets/kube-proxy" --config="$DIR/conf/kube-proxy.yaml"
report "daemons"
sleep "$life"
