# shellcheck shell=bash disable=SC2034,SC2154 # variables that other parts set or use
# full.sh: a Kubernetes of one node, with libvirtd, in a sandbox; the host's side. Source it after link.sh, cgroup.sh,
# node.sh, libvirt.sh, sandbox.sh.

NODE=node-1

# full_id WANTED: claims a number between 1 and 250, the one that D had before if it is free, and makes its cgroup.
full_id() {
  local first=${1:-$(cat "$DIR/id" 2>/dev/null || true)} i
  [[ -n $first ]] || first=$((16#$(printf '%s' "$DIR" | sha256sum | cut -c1-6) % 250 + 1))
  for ((i = 0; i < 250; i++)); do
    ID=$(((first - 1 + i) % 250 + 1))
    [[ -e /sys/class/net/$(link_name "$ID") ]] || { cgroup_make "$(link_name "$ID")" && break; }
    [[ -z $1 ]] || die "number $1 is in use by another cluster (choose another --id)"
  done
  ((i < 250)) || die "no free number for a cluster between 1 and 250"
  printf '%s\n' "$ID" >"$DIR/id"
}

# full_wipe: all of an earlier life but its logs and its number.
full_wipe() {
  rm -rf --one-file-system -- "${DIR:?}"/{etcd,pki,conf,run,sock,containerd,var,etc,state,bin,hosts,node,kubeconfig,init.pid}
}

# follow_progress: prints what full-inside.sh reports until it has started all, or is dead.
follow_progress() {
  local line='' t0=$1
  exec {PROGRESS}<"$DIR/log/progress"
  while [[ $line != daemons ]]; do
    if IFS= read -r line <&"$PROGRESS"; then
      say "$(printf '%6s s  %s' "$(seconds_since "$t0")" "$line")"
    else
      sandbox_pid >/dev/null || blame "starting the cluster" "$DIR/log/sandbox.log"
      sleep 0.05
    fi
  done
  exec {PROGRESS}<&-
}

# full_kubectl ARG...: kubectl as the cluster's admin, over the link, past any proxy of the user's.
full_kubectl() { NO_PROXY='*' no_proxy='*' "$(asset kubectl)" --kubeconfig "$DIR/kubeconfig" "$@"; }

# full_up WANTED_ID LIFE
full_up() {
  local t0 assets pause tool
  t0=$(now_ms) assets=$(asset_dir)
  check_socket_path "$DIR/sock/libvirt-sock"
  full_wipe
  rm -rf -- "$DIR/log"
  mkdir -p "$DIR"/{run/libvirt,log,bin,conf,state}
  : >"$DIR/log/progress"
  full_id "$1"
  NODE_IP=$(node_ip "$ID")
  printf '%s\n' "$NODE" >"$DIR/node"
  ln -sfn run/libvirt "$DIR/sock"
  for tool in kubectl helm; do ln -sfn "$(asset "$tool" "$assets")" "$DIR/bin/$tool"; done
  pki_control_plane "IP:127.0.0.1,IP:$NODE_IP"
  node_pki
  pki_kubeconfig admin "https://$NODE_IP:6443" "$DIR/kubeconfig"
  node_configure
  libvirt_configure
  pause=$("$here/../images/build.sh" pause)
  cp -- "$pause" "$DIR/conf/pause.tar"

  (
    # The janitor of `cluster run` waits until nobody holds its leash: the sandbox must not.
    [[ -z ${LEASH:-} ]] || exec {LEASH}>&-
    exec setsid bash "$here/lib/keeper.sh" "$DIR" "$ID" "$2"
  ) >/dev/null 2>&1 </dev/null &
  disown $!
  wait_until 20 sandbox_pid || blame "making the sandbox" "$DIR/log/sandbox.log"
  link_up "$ID" "$(sandbox_pid)" || die "making the link to the sandbox failed"
  follow_progress "$t0"
  wait_until 60 full_kubectl wait --for=condition=Ready "node/$NODE" --timeout=5s ||
    blame "waiting for the node to be Ready" "$DIR/log/kubelet.log"
  wait_until 30 full_kubectl get serviceaccount default || blame "waiting for the service account default" "$DIR/log/kube-controller-manager.log"
  wait_until 30 libvirt_answers || blame "starting libvirtd" "$DIR/log/libvirtd.log"
  say "$(printf '%6s s  node Ready' "$(seconds_since "$t0")")"
}

# full_down: ends the sandbox and what it has outside.
full_down() {
  local id
  sandbox_end
  rm -f -- "$DIR/init.pid"
  id=$(cat "$DIR/id" 2>/dev/null) || return 0
  link_down "$id"
  cgroup_remove "$(link_name "$id")" || die "cgroups named $(link_name "$id") are left in $CGROUP_ROOT"
}

# full_purge: D's contents, and D itself when nothing else is in it. A file D/keep-log keeps D/log.
full_purge() {
  full_wipe
  [[ -e $DIR/keep-log ]] || rm -rf -- "$DIR/log"
  rm -f -- "$DIR"/{id,keep-log,.ostler-cluster}
  rmdir -- "$DIR" 2>/dev/null || true
}

# full_status: what a caller needs, as KEY=VALUE lines.
full_status() {
  sandbox_pid >/dev/null || die "no cluster runs in $DIR"
  apiserver_ready "$(node_ip "$(<"$DIR/id")")" 6443 || die "the API server of $DIR does not answer; logs in $DIR/log"
  printf '%s=%s\n' kubeconfig "$DIR/kubeconfig" node "$(<"$DIR/node")" node_ip "$(node_ip "$(<"$DIR/id")")" \
    libvirt_uri "$(libvirt_uri)" state_dir "$DIR/state" logs "$DIR/log" bin "$DIR/bin"
}

# full_enter CMD...: becomes CMD in the sandbox, in its cgroup, in the same folder where that is to be seen inside.
full_enter() {
  sandbox_pid >/dev/null || die "no cluster runs in $DIR"
  cgroup_join "$(link_name "$(<"$DIR/id")")"
  # shellcheck disable=SC2016 # expands inside
  sandbox_run "${SANDBOX_NAMESPACES[@]}" --cgroup env KUBECONFIG="$DIR/kubeconfig" PATH="$DIR/bin:$PATH" \
    bash -c 'cd "$1" 2>/dev/null || cd /; shift; exec "$@"' enter "$PWD" "$@"
}

# full_load_image FILE...: into the node's containerd.
full_load_image() {
  local file
  for file; do
    [[ -r $file ]] || die "no such image file: $file"
    (full_enter ctr --address "$CONTAINERD_SOCKET" --namespace k8s.io images import - <"$file") >"$DIR/log/import.log" 2>&1 ||
      blame "importing $file" "$DIR/log/import.log"
  done
}
