# shellcheck shell=bash disable=SC2154 # variables of demo.sh
# env.sh: .demo/env for the user's own shell, and the small commands that it puts on the PATH.

# The URL of the OpenStack front from outside the cluster.
auth_url() {
  local ip port
  port=$(kubectl_ -n "$namespace" get service "$release-api-shim-public" -o jsonpath='{.spec.ports[?(@.name=="api")].nodePort}')
  ip=$(kubectl_ get nodes -o jsonpath='{.items[0].status.addresses[?(@.type=="InternalIP")].address}')
  printf 'http://%s:%s/identity/v3' "$ip" "$port"
}

write_guest_ssh() {
  cat >"$demo/bin/guest-ssh" <<S
#!/bin/bash
# guest-ssh SERVER [COMMAND...]: logs in to a guest of the demo's project with the demo's key.
set -euo pipefail
((\$#)) || { echo "guest-ssh SERVER [COMMAND...], SERVER as in: kubectl get servers" >&2 && exit 2; }
address=\$(KUBECONFIG='$(kubeconfig_path)' NO_PROXY='*' "$demo/bin/kubectl" -n "$project" get "server.compute.ostler.dev/\$1" -o jsonpath='{.status.addresses[0].address}')
shift
exec "$repo/tests/cluster/cluster" enter --dir "$demo/cluster" -- ssh -i "$demo/id_ed25519" -o LogLevel=ERROR \\
  -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o IdentitiesOnly=yes -o ConnectTimeout=20 root@"\$address" "\$@"
S
  chmod 755 "$demo/bin/guest-ssh"
}

write_env() {
  local uri=''
  if [[ $mode == local ]]; then
    write_guest_ssh
    uri=$(cluster_value libvirt_uri)
  fi
  (
    umask 077
    cat >"$demo/env.new" <<V
# Source this in your shell: . $demo/env
export KUBECONFIG='$(kubeconfig_path)'
export PATH='$demo/bin':"\$PATH"
export OS_AUTH_URL='$(auth_url)' OS_IDENTITY_API_VERSION=3
export OS_USERNAME=demo OS_PASSWORD='$(password)' OS_USER_DOMAIN_NAME=Default
export OS_PROJECT_NAME=$project OS_PROJECT_DOMAIN_NAME=Default
${uri:+export LIBVIRT_DEFAULT_URI='$uri'}
export no_proxy="\${no_proxy:+\$no_proxy,}$(auth_url | sed 's|http://\(.*\):.*|\1|')" NO_PROXY="\${NO_PROXY:+\$NO_PROXY,}$(auth_url | sed 's|http://\(.*\):.*|\1|')"
V
  )
  mv "$demo/env.new" "$demo/env"
  # So that `kubectl get servers` shows those of the demo.
  kubectl_ config set-context --current --namespace="$project" >/dev/null
}

say_what_next() {
  cat <<T

The demo runs. In your own shell:

    . $demo/env

then try

    kubectl describe server hello
    openstack server create --image tiny --flavor small --key-name me --network lan --wait second
    kubectl patch server hello --type merge -p '{"spec":{"powerState":"Stopped"}}'

and remove everything with \`make demo-down\`.
T
}
