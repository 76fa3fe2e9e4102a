# shellcheck shell=bash disable=SC2034,SC2154 # variables that other parts set or use
# inside.sh: the first steps of the process below tini in a sandbox, and its supervisor. Source it after common.sh.

# announce_init: writes $DIR/init.pid. Only the host's /proc, still mounted here, knows the host's pids.
announce_init() {
  local stat
  stat=$(</proc/self/stat)
  # Of the fields after the name, the second is the parent: tini.
  # shellcheck disable=SC2086 # fields
  set -- ${stat##*) }
  printf '%s %s\n' "$2" "$(start_time "$2")" >"$DIR/.init.pid"
  mv "$DIR/.init.pid" "$DIR/init.pid"
}

# own_mounts: from here on no mount leaves the sandbox, /proc shows its processes and /sys its network.
own_mounts() {
  mount --make-rprivate /
  mount -t proc proc /proc
  mount -t sysfs sysfs /sys
}

# private SOURCE TARGET: $DIR/SOURCE is seen as TARGET.
private() {
  mkdir -p "$DIR/$1" "$2"
  mount --bind "$DIR/$1" "$2"
}

# name_host NAME ADDRESS: host name and /etc/hosts.
name_host() {
  printf '127.0.0.1 localhost\n::1 localhost\n%s %s\n' "$2" "$1" >"$DIR/hosts"
  mount --bind "$DIR/hosts" /etc/hosts
  hostname "$1"
}

# open_path PATH [KEEP...]: QEMU runs as another user; a folder above PATH that it may not pass (a home of mode 0700) is
# covered, in here only, by an empty one that leads to nothing but PATH and those KEEPs that lie below it.
open_path() {
  local above=/ part closed='' path handle
  local -a parts
  local -A handles=()
  IFS=/ read -r -a parts <<<"${1#/}"
  for part in "${parts[@]}"; do
    above=${above%/}/$part
    [[ $(stat -c %A "$above") == *[xt] ]] || { closed=$above && break; }
  done
  [[ -n $closed ]] || return 0
  [[ $closed != "$1" ]] || die "$1 itself must let others pass (mode 0711)"
  for path; do
    [[ $path == "$closed"/* ]] || continue
    exec {handle}<"$path"
    handles[$path]=$handle
  done
  mount -t tmpfs -o mode=755 tmpfs "$closed"
  for path in "${!handles[@]}"; do
    mkdir -p "$path"
    handle=${handles[$path]}
    mount --no-canonicalize --bind "/proc/self/fd/$handle" "$path"
    exec {handle}<&-
  done
}

# supervise NAME CMD...: runs CMD in the background and again whenever it ends, as a host's service manager does.
supervise() {
  local name=$1 log=$DIR/log/$1.log
  shift
  (
    exec </dev/null >>"$log" 2>&1
    while :; do
      "$@" || true
      printf -- '---- %(%T)T %s has ended and is started again\n' -1 "$name"
      sleep 0.2
    done
  ) &
}
