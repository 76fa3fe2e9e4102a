# shellcheck shell=bash disable=SC2154 # variables of demo.sh
# named-cluster.sh: the cluster that KUBECONFIG names.

named_cluster_steps() {
  step "your cluster" named_cluster_check
}

named_cluster_check() {
  local tool bin
  bin=$("$repo/tests/cluster/build.sh" --dir)
  for tool in kubectl helm; do ln -sfn "$bin/$tool" "$demo/bin/$tool"; done
  "$demo/bin/kubectl" get nodes -o wide || {
    echo "the cluster of KUBECONFIG=$KUBECONFIG does not answer"
    return 1
  }
  [[ ${OSTLER_DEMO_IMAGE:-} == *:* ]] || {
    echo "OSTLER_DEMO_IMAGE=REPOSITORY:TAG is not set: your cluster needs an image that it can pull."
    echo "Build one with: docker build -t REPOSITORY:TAG . && docker push REPOSITORY:TAG"
    return 1
  }
  named_cluster_claim
}

# Keeps the way to that cluster, so that `down` finds it whatever KUBECONFIG says then. Before anything is applied.
named_cluster_claim() {
  [[ $KUBECONFIG == "$demo"/* ]] ||
    (umask 077 && "$demo/bin/kubectl" config view --raw --flatten --minify >"$demo/named-kubeconfig")
}

named_cluster_down() {
  # Nothing was applied yet.
  [[ -s $demo/named-kubeconfig ]] || return 0
  kubectl_ delete namespace "$project" --ignore-not-found --timeout=180s
  kubectl_ delete network.compute.ostler.dev/lan flavor.compute.ostler.dev/small --ignore-not-found
  helm_ uninstall "$release" -n "$namespace" --ignore-not-found --wait
  kubectl_ delete namespace "$namespace" --ignore-not-found
  echo "The custom resource definitions stay, because deleting them would delete every Server in your cluster."
}
