# shellcheck shell=bash disable=SC2154 # variables of demo.sh
# guest.sh: docs/examples with the demo's own image and key, and the guest that comes of them.

guest_steps() {
  step "apply the examples" apply_examples
  step "wait for the guest" wait_for_guest
  step "wait for its ready line" wait_for_console
  [[ $mode != local ]] || step "log in by ssh" wait_for_ssh
}

# The examples as they stand, with patches for what differs from machine to machine.
write_overlay() {
  local overlay=$demo/manifests
  mkdir -p "$overlay/examples"
  cp "$repo"/docs/examples/*.yaml "$overlay/examples/"
  cat >"$overlay/kustomization.yaml" <<K
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: $project
resources: [examples]
patches:
  - target: {kind: KeyPair, name: me}
    patch: |
      - op: replace
        path: /spec/publicKey
        value: "$(cat "$demo/id_ed25519.pub")"
  - target: {kind: Server, name: hello}
    patch: |
      - {op: add, path: /spec/powerState, value: Running}
  - target: {kind: Image, name: tiny}
    patch: |
$(image_patch)
K
}

# In a local cluster the image comes from the demo's web server; in a named one it is uploaded (see upload_image).
image_patch() {
  if [[ $mode == local ]]; then
    printf '      %s\n' '- op: replace' '  path: /spec/source' "  value: {http: {url: 'http://$(cluster_value node_ip):8099/tiny.qcow2', sha256: '$(sha256sum <"$demo/tiny.qcow2" | cut -d' ' -f1)'}}"
  else
    # shellcheck disable=SC2016 # kustomize's own word
    printf '      %s\n' '$patch: delete' 'apiVersion: compute.ostler.dev/v1alpha1' 'kind: Image' 'metadata: {name: tiny}'
  fi
}

apply_examples() {
  write_overlay
  [[ $mode == local ]] || upload_image
  kubectl_ apply --server-side --force-conflicts -k "$demo/manifests"
}

# In a named cluster there is no web server of ours: the image goes through the OpenStack front.
upload_image() {
  write_env
  # shellcheck source=/dev/null
  . "$demo/env"
  openstack image show tiny >/dev/null 2>&1 ||
    openstack image create --disk-format qcow2 --container-format bare --file "$demo/tiny.qcow2" tiny
}

wait_for_guest() {
  kubectl_ -n "$project" wait --for=condition=Ready image.compute.ostler.dev/tiny --timeout=120s
  kubectl_ -n "$project" wait --for=jsonpath='{.status.state.status}'=ACTIVE server.compute.ostler.dev/hello --timeout=180s
  kubectl_ -n "$project" wait --for=condition=Ready server.compute.ostler.dev/hello --timeout=180s
}

guest_id() { kubectl_ -n "$project" get server.compute.ostler.dev/hello -o jsonpath='{.metadata.uid}'; }
guest_address() { kubectl_ -n "$project" get server.compute.ostler.dev/hello -o jsonpath='{.status.addresses[0].address}'; }

# ready_line: the line with which the guest says that it has booted; fails when the console cannot be read.
ready_line() {
  local console
  # shellcheck source=/dev/null
  console=$(. "$demo/env" && openstack console log show "$(guest_id)") || return
  grep -a 'OSTLER-READY' <<<"$console" | tail -n 1 || true
}

wait_for_console() {
  local line
  write_env
  for _ in {1..60}; do
    line=$(ready_line)
    [[ -z $line ]] || { echo "$line" && return; }
    sleep 2
  done
  echo "the guest's console shows no OSTLER-READY line; see: openstack console log show hello"
  return 1
}

# sshd is up a moment later than the ready line.
wait_for_ssh() {
  for _ in {1..30}; do
    "$demo/bin/guest-ssh" hello hostname && return
    sleep 2
  done
  echo "the guest does not answer by ssh; see: openstack console log show hello"
  return 1
}

show() {
  printf '\n$ %s\n' "$*"
  # shellcheck source=/dev/null
  (. "$demo/env" && "$@")
}

show_guest() {
  show kubectl get servers -n "$project" -o wide
  printf '\nThe guest wrote to its serial console:\n  %s\n' "$(ready_line)"
  show openstack server list
  # It may have been renamed.
  # shellcheck source=/dev/null
  show openstack server show "$(. "$demo/env" && openstack server show "$(guest_id)" -f value -c name)"
  if [[ $mode == local ]]; then
    show guest-ssh hello hostname
  else
    printf '\nThe guest is at %s behind its host; log in from there: ssh -i %s root@%s\n' "$(guest_address)" "$demo/id_ed25519" "$(guest_address)"
  fi
}
