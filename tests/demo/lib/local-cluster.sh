# shellcheck shell=bash disable=SC2154 # variables of demo.sh
# local-cluster.sh: a Kubernetes of one node with libvirt, in a sandbox below .demo/cluster.

cluster() { "$repo/tests/cluster/cluster" "$@"; }
# cluster_value KEY: of `cluster status`.
cluster_value() { cluster_status | sed -n "s/^$1=//p"; }
# cluster_status: waits for a cluster that is slow to answer, as it is on a busy machine.
cluster_status() {
  for _ in {1..30}; do
    cluster status --dir "$demo/cluster" 2>/dev/null && return
    sleep 1
  done
  cluster status --dir "$demo/cluster"
}
kubeconfig_path() { if [[ $mode == local ]]; then echo "$demo/cluster/kubeconfig"; else echo "$demo/named-kubeconfig"; fi; }

local_cluster_steps() {
  step "cluster" cluster_start
  step "load container image" load_container_image
  step "serve the guest image" serve_guest_image
}

cluster_start() {
  local tool
  # A cluster that runs is never thrown away because it is slow to answer.
  if cluster enter --dir "$demo/cluster" -- true 2>/dev/null; then
    cluster_status
  else
    cluster down --dir "$demo/cluster" >/dev/null 2>&1 || true
    rm -f "$demo/loaded"
    cluster up --size full --dir "$demo/cluster"
  fi
  for tool in kubectl helm; do ln -sfn "$demo/cluster/bin/$tool" "$demo/bin/$tool"; done
}

# Loads the image again only when it is another one.
load_container_image() {
  local tar=$cache/images/ostler.tar digest
  digest=$(sha256sum <"$tar" | cut -d' ' -f1)
  [[ $(cat "$demo/loaded" 2>/dev/null) != "$digest" ]] || return 0
  cluster load-image --dir "$demo/cluster" "$tar"
  printf '%s\n' "$digest" >"$demo/loaded"
}

# A web server inside the sandbox: manager and node role fetch the guest's image from it as from any other.
serve_guest_image() {
  local ip
  ip=$(cluster_value node_ip)
  mkdir -p "$demo/www"
  cp --reflink=auto "$demo/tiny.qcow2" "$demo/www/tiny.qcow2"
  if ! curl --noproxy '*' -sfI "http://$ip:8099/tiny.qcow2" >/dev/null; then
    setsid "$repo/tests/cluster/cluster" enter --dir "$demo/cluster" -- \
      python3 -m http.server --bind "$ip" --directory "$demo/www" 8099 >"$demo/log/web-server.log" 2>&1 </dev/null &
    disown $!
  fi
  for _ in {1..50}; do
    curl --noproxy '*' -sfI "http://$ip:8099/tiny.qcow2" >/dev/null && return
    sleep 0.2
  done
  echo "the web server at http://$ip:8099 does not answer; log: $demo/log/web-server.log"
  return 1
}

local_cluster_down() { cluster down --dir "$demo/cluster" --purge; }
