# shellcheck shell=bash disable=SC2034,SC2154 # variables that other parts set or use
# sandbox.sh: a sandbox of namespaces as its host sees it: find, enter, end. Source it after common.sh.
#
# PID 1 of a sandbox is tini, which reaps at once (libvirt waits for a dead QEMU to be reaped). $DIR/init.pid holds its
# pid and start time as the host sees them; inside.sh writes it.

SANDBOX_NAMESPACES=(--mount --net --uts --ipc --pid)

# start_time PID: field 22 of its stat; the process's name may hold spaces and parentheses.
start_time() {
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  # shellcheck disable=SC2086 # fields
  set -- ${stat##*) }
  printf '%s' "${20}"
}

# sandbox_pid: prints the host's pid of the sandbox's PID 1; fails when it is gone.
sandbox_pid() {
  local pid start
  read -r pid start 2>/dev/null <"$DIR/init.pid" || return 1
  [[ $(start_time "$pid") == "$start" ]] || return 1
  printf '%s' "$pid"
}

# sandbox_run FLAG... CMD...: becomes CMD in the sandbox's namespaces; nsenter's FLAGs say in which.
sandbox_run() {
  local pid
  pid=$(sandbox_pid) || die "nothing runs in $DIR"
  exec nsenter --target "$pid" "$@"
}

# sandbox_end: the kernel ends all its processes and mounts with PID 1; returns when they are gone.
sandbox_end() {
  local pid
  pid=$(sandbox_pid) || return 0
  kill -9 "$pid" 2>/dev/null || true
  # The init.pid stays valid until its parent has reaped it, which happens after all others are dead.
  wait_until 30 sandbox_gone || die "the sandbox of $DIR (pid $pid) does not end"
}

sandbox_gone() { ! sandbox_pid; }

# check_socket_path PATH: a unix socket's name has at most 107 bytes.
check_socket_path() {
  ((${#1} <= 107)) || die "$1 is too long for a socket (${#1} of 107 characters): choose a shorter --dir"
}
