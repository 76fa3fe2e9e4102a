# shellcheck shell=bash disable=SC2034,SC2154 # variables that other parts set or use
# assets.sh: where the Kubernetes binaries are. Source it after common.sh, with $here set to tests/cluster.

# The groups that build.sh and `cluster` ask for.
ASSETS_BARE=(etcd kube-apiserver kube-controller-manager kubectl)
ASSETS_FULL=("${ASSETS_BARE[@]}" kube-scheduler kubelet kube-proxy helm)

# asset_dir: one folder for each state of the Go modules and their build flags.
asset_dir() {
  local g=$here/gomod
  printf '%s/bin-%s' "$(cache_dir)" "$(hash_of "$g/binaries" "$g"/*/{go.mod,go.sum,ldflags})"
}

# from_envtest NAME: whether KUBEBUILDER_ASSETS (envtest's convention) has this binary.
from_envtest() {
  case $1 in etcd | kube-apiserver | kubectl) ;; *) return 1 ;; esac
  [[ -n ${KUBEBUILDER_ASSETS:-} && -x $KUBEBUILDER_ASSETS/$1 ]]
}

# asset NAME [ASSET_DIR]: the path of a binary, built or not yet.
asset() {
  if from_envtest "$1"; then
    printf '%s/%s' "$KUBEBUILDER_ASSETS" "$1"
  else
    printf '%s/%s' "${2:-$(asset_dir)}" "$1"
  fi
}
