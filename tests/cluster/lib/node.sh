# shellcheck shell=bash disable=SC2034,SC2154 # variables that other parts set or use
# node.sh: the configuration of containerd, CNI, kubelet and kube-proxy for the one node of a full cluster.
# Source it after link.sh. $DIR, $PKI, $NODE, $NODE_IP are set.

POD_CIDR=10.244.0.0/16
CONTAINERD_SOCKET=/run/containerd/containerd.sock
PAUSE_IMAGE=localhost/ostler/pause:1

# node_configure: all files below $DIR/conf.
node_configure() {
  mkdir -p "$DIR/conf/cni"
  cni_config >"$DIR/conf/cni/10-ostler.conflist"
  containerd_config >"$DIR/conf/containerd.toml"
  kubelet_config >"$DIR/conf/kubelet.yaml"
  kube_proxy_config >"$DIR/conf/kube-proxy.yaml"
}

cni_config() {
  cat <<E
{"cniVersion": "1.0.0", "name": "ostler", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "isDefaultGateway": true, "ipMasq": true, "hairpinMode": true,
   "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.244.0.0/24"}]], "dataDir": "/var/lib/cni/networks"}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
E
}

# For Debian's containerd 1.6. restrict_oom_score_adj: without CAP_SYS_RESOURCE a negative score is refused and runc dies.
containerd_config() {
  cat <<E
version = 2
root = "$DIR/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing"]
[grpc]
  address = "$CONTAINERD_SOCKET"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "$PAUSE_IMAGE"
  disable_apparmor = true
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$DIR/conf/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
E
}

# Nothing may delete an image: no registry gives it back. The kubelet's image GC counts the whole disk's use.
kubelet_config() {
  cat <<E
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
failCgroupV1: false
cgroupDriver: cgroupfs
cgroupsPerQOS: true
enforceNodeAllocatable: [pods]
address: $NODE_IP
port: 10250
readOnlyPort: 0
healthzBindAddress: 127.0.0.1
tlsCertFile: $PKI/kubelet-server.crt
tlsPrivateKeyFile: $PKI/kubelet-server.key
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $PKI/ca.crt}}
authorization: {mode: Webhook}
containerRuntimeEndpoint: unix://$CONTAINERD_SOCKET
resolvConf: ""
clusterDomain: cluster.local
failSwapOn: false
evictionHard: {memory.available: 100Mi, nodefs.available: "0%", nodefs.inodesFree: "0%", imagefs.available: "0%", imagefs.inodesFree: "0%"}
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
nodeStatusUpdateFrequency: 4s
E
}

# The conntrack limits belong to the whole machine and are read-only in here.
kube_proxy_config() {
  cat <<E
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: nftables
clusterCIDR: $POD_CIDR
hostnameOverride: $NODE
healthzBindAddress: 127.0.0.1:10256
metricsBindAddress: 127.0.0.1:10249
clientConnection: {kubeconfig: $PKI/kube-proxy.kubeconfig}
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
E
}

# node_pki: the certificates of the node and of the scheduler, and the kubeconfigs of all daemons.
node_pki() {
  local name
  pki_cert client /CN=system:kube-scheduler scheduler ca
  pki_cert client /CN=system:kube-proxy kube-proxy ca
  pki_cert client "/O=system:nodes/CN=system:node:$NODE" kubelet ca
  pki_cert server "/O=system:nodes/CN=system:node:$NODE" kubelet-server ca "IP:$NODE_IP,DNS:$NODE"
  for name in controller-manager scheduler kube-proxy kubelet; do
    pki_kubeconfig "$name" "https://$NODE_IP:6443" "$PKI/$name.kubeconfig"
  done
}
