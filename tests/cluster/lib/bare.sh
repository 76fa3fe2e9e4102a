# shellcheck shell=bash disable=SC2034,SC2154 # variables that other parts set or use
# bare.sh: etcd, kube-apiserver and kube-controller-manager as plain processes on loopback. No root, no namespaces.
# Source it after control-plane.sh and leash.sh; `cluster run --size bare` calls bare_run.

# free_port: a port below the kernel's own range on which nobody listens now.
free_port() {
  local port
  while :; do
    port=$((10240 + (RANDOM * 32768 + RANDOM) % 20000))
    # /proc/net/tcp{,6}: local address in column 2, state 0A is LISTEN
    awk -v p="$(printf ':%04X$' "$port")" '$2 ~ p && $4 == "0A" {found = 1} END {exit found}' /proc/net/tcp* || continue
    printf '%d' "$port"
    return
  done
}

# start NAME CMD...: a daemon on the leash, its log in $DIR/log.
start() {
  local name=$1
  shift
  leashed "$@" </dev/null >"$DIR/log/$name.log" 2>&1 &
  DAEMONS[$!]=$name
}

# start_apiserver: with its pid in a file, so that a test can stop it or kill it.
start_apiserver() {
  start kube-apiserver "${APISERVER[@]}"
  printf '%s' "$!" >"$DIR/log/kube-apiserver.pid"
}

# end_daemons: at once; their state is thrown away.
end_daemons() {
  ((${#DAEMONS[@]})) || return 0
  kill -9 "${!DAEMONS[@]}" 2>/dev/null || true
  wait "${!DAEMONS[@]}" 2>/dev/null || true
  DAEMONS=()
}

# all_alive PID...: kill(1) succeeds when one of them is alive, so ask one by one.
all_alive() {
  local pid
  for pid; do kill -0 "$pid" 2>/dev/null || return 1; done
}

# ready_or_dead PORT PID...: the API server is ready, or waiting for it has no sense.
ready_or_dead() { apiserver_ready 127.0.0.1 "$1" || ! all_alive "${@:2}"; }

# bare_start: one try with fresh ports; 1 when another process took one of them in between.
bare_start() {
  local etcd_port api_port etcd_pid api_pid
  etcd_port=$(free_port)
  until api_port=$(free_port) && ((api_port != etcd_port)); do :; done
  SERVER=https://127.0.0.1:$api_port
  etcd_command "$(asset etcd "$ASSETS")" "http://127.0.0.1:$etcd_port"
  start etcd "${CMD[@]}"
  etcd_pid=$!
  apiserver_command "$(asset kube-apiserver "$ASSETS")" "http://127.0.0.1:$etcd_port" 127.0.0.1 "$api_port" \
    --bind-address=127.0.0.1 --endpoint-reconciler-type=none
  APISERVER=("${CMD[@]}")
  start_apiserver
  api_pid=$!
  wait_until 120 ready_or_dead "$api_port" "$etcd_pid" "$api_pid" ||
    blame "waiting 120 s for kube-apiserver" "$DIR/log/kube-apiserver.log"
  all_alive "$etcd_pid" "$api_pid" && return
  local dead=kube-apiserver
  kill -0 "$etcd_pid" 2>/dev/null || dead=etcd
  end_daemons
  rm -rf -- "$DIR/etcd"
  grep -q 'address already in use' "$DIR/log/$dead.log" && return 1
  blame "starting $dead" "$DIR/log/$dead.log"
}

# bare_end: ends the daemons and has the janitor remove the files. Runs at every exit of the runner.
bare_end() {
  local status=$?
  trap '' TERM INT HUP
  ((status == 0)) || : >"$DIR/keep-log"
  [[ -z ${STDIN_WATCH:-} ]] || kill -9 "$STDIN_WATCH" 2>/dev/null || true
  end_daemons
  unleash
  exit "$status"
}

# bare_run TIE_TO_STDIN(0|1): runs until a signal, the end of stdin, or the end of a daemon.
bare_run() {
  declare -gA DAEMONS=()
  local tie=$1 ended='' t0 tries=0
  t0=$(now_ms)
  ASSETS=$(asset_dir)
  leash "$here/lib/remove-bare.sh" "$DIR" "$DIR_WAS_NEW"
  trap bare_end EXIT
  trap 'exit 0' TERM INT HUP
  ((!tie)) || end_with_stdin
  mkdir -p "$DIR/log"
  [[ -z ${OSTLER_KEEP_LOGS:-} ]] || : >"$DIR/keep-log"
  pki_control_plane IP:127.0.0.1
  until bare_start; do
    ((++tries < 5)) || die "found no free ports in 5 tries; logs in $DIR/log"
  done
  pki_kubeconfig admin "$SERVER" "$DIR/kubeconfig"
  pki_kubeconfig controller-manager "$SERVER" "$PKI/controller-manager.kubeconfig"
  controller_manager_command "$(asset kube-controller-manager "$ASSETS")" "$PKI/controller-manager.kubeconfig"
  start kube-controller-manager "${CMD[@]}"
  say "ready after $(seconds_since "$t0") s"
  printf 'READY %s\n' "$DIR/kubeconfig"
  while :; do
    wait -n -p ended "${!DAEMONS[@]}" || true
    [[ ${DAEMONS[$ended]} == kube-apiserver && -e $DIR/log/kube-apiserver.away ]] || break
    # A test killed it; it comes back when the test removes the file.
    unset "DAEMONS[$ended]"
    wait_until 600 test ! -e "$DIR/log/kube-apiserver.away" || die "kube-apiserver was away for ten minutes"
    start_apiserver
  done
  blame "${DAEMONS[$ended]} (it ended by itself)" "$DIR/log/${DAEMONS[$ended]}.log"
}
