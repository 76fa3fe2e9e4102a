# shellcheck shell=bash disable=SC2154 # variables of demo.sh
# release.sh: the chart, and a user and a project of the demo.

kubectl_() { KUBECONFIG=$(kubeconfig_path) NO_PROXY='*' "$demo/bin/kubectl" "$@"; }
helm_() {
  KUBECONFIG=$(kubeconfig_path) NO_PROXY='*' HELM_CACHE_HOME=$demo/helm HELM_CONFIG_HOME=$demo/helm HELM_DATA_HOME=$demo/helm \
    "$demo/bin/helm" "$@"
}

release_steps() {
  step "helm install" install_chart
  step "project and user" make_project
}

# A password of the demo's own, made once.
password() {
  [[ -s $demo/password ]] || (umask 077 && head -c 18 /dev/urandom | base64 | tr '+/' '-_' >"$demo/password")
  cat "$demo/password"
}

write_values() {
  local hash
  if [[ ! -s $demo/password-hash ]]; then
    password | "$target/debug/api-shim" hash-password >"$demo/password-hash"
  fi
  hash=$(cat "$demo/password-hash")
  if [[ $mode == local ]]; then
    cat <<V
image: {repository: localhost/ostler, tag: dev, pullPolicy: Never}
apiShim:
  service: {type: NodePort, nodePort: 30774}
  images: {persistence: {type: hostPath, hostPath: /var/lib/ostler-images}}
V
  else
    cat <<V
image: {repository: "${OSTLER_DEMO_IMAGE%:*}", tag: "${OSTLER_DEMO_IMAGE##*:}"}
apiShim:
  service: {type: NodePort}
  images: {persistence: {type: emptyDir}}
V
  fi
  cat <<V
  users: [{name: demo, passwordHash: '$hash', defaultProject: $project}]
V
}

# Why pods are not Ready: their state, what the kubelet says, and their last words.
explain_pods() {
  local pod
  kubectl_ -n "$namespace" get pods -o wide
  for pod in $(kubectl_ -n "$namespace" get pods -o name); do
    kubectl_ -n "$namespace" wait --for=condition=Ready --timeout=0s "$pod" >/dev/null 2>&1 && continue
    echo "--- $pod"
    kubectl_ -n "$namespace" get events --field-selector "involvedObject.name=${pod#pod/}" -o custom-columns=REASON:.reason,MESSAGE:.message --no-headers | tail -n 4
    kubectl_ -n "$namespace" logs "$pod" --tail=6
  done
}

install_chart() {
  (umask 077 && write_values >"$demo/values.yaml")
  if [[ $mode == local ]]; then
    # Uploaded images; the shim runs as this user. In the cluster it would be a PersistentVolume.
    cluster enter --dir "$demo/cluster" -- install -d -o 65532 -g 65532 -m 0750 /var/lib/ostler-images
  fi
  kubectl_ apply --server-side --force-conflicts -f "$repo/charts/ostler/crds"
  helm_ upgrade --install "$release" "$repo/charts/ostler" -n "$namespace" --create-namespace -f "$demo/values.yaml" --wait --timeout 120s || {
    explain_pods
    return 1
  }
  # The same tag may stand for a new image: pods of the old one are replaced.
  if [[ $mode == local && $(cat "$demo/rolled" 2>/dev/null) != "$(cat "$demo/loaded")" ]]; then
    if [[ -e $demo/rolled ]]; then
      kubectl_ -n "$namespace" rollout restart deployment,daemonset
      kubectl_ -n "$namespace" rollout status daemonset --timeout=120s
      kubectl_ -n "$namespace" rollout status deployment --timeout=120s
    fi
    cp "$demo/loaded" "$demo/rolled"
  fi
}

make_project() {
  # The chart's roles are aggregated to Kubernetes' own `edit`.
  kubectl_ apply --server-side -f - <<Y
apiVersion: v1
kind: Namespace
metadata: {name: $project, labels: {compute.ostler.dev/project: "true"}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: demo, namespace: $project}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: edit}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: demo}]
Y
}
