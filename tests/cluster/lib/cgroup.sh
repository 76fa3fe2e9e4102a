# shellcheck shell=bash disable=SC2034,SC2154 # variables that other parts set or use
# cgroup.sh: one cgroup for a sandbox in each hierarchy of the machine, v1 or v2. Source it after common.sh.
#
# v1 is what the test machines have; v2 needs the daemons in a leaf (LEAF), because a cgroup with controllers for its
# children may hold no process itself.

CGROUP_ROOT=/sys/fs/cgroup
CGROUP_LEAF=daemons

# cgroup_v2: whether the machine has the one unified hierarchy and no other.
cgroup_v2() { [[ -e $CGROUP_ROOT/cgroup.controllers ]]; }

# cgroup_hierarchies: "FOLDER CONTROLLERS" of each v1 hierarchy, and of the empty v2 one beside them.
cgroup_hierarchies() {
  local controllers folder
  while IFS=: read -r _ controllers _; do
    case $controllers in
    '') folder=unified ;;
    name=*) folder=${controllers#name=} ;;
    *) folder=$controllers ;;
    esac
    [[ ! -d $CGROUP_ROOT/$folder ]] || printf '%s %s\n' "$folder" "${controllers:--}"
  done </proc/self/cgroup
}

# cgroup_paths NAME: the host's folders of the sandbox's cgroup.
cgroup_paths() {
  local folder
  if cgroup_v2; then
    printf '%s\n' "$CGROUP_ROOT/$1"
  else
    while read -r folder _; do printf '%s\n' "$CGROUP_ROOT/$folder/$1"; done < <(cgroup_hierarchies)
  fi
}

# cgroup_make NAME: fails when there is one, so making it is claiming the name.
cgroup_make() {
  local path first=1 file
  while read -r path; do
    if ((first)); then
      mkdir "$path" 2>/dev/null || return 1
      first=0
    else
      mkdir -p "$path"
    fi
    # A v1 cpuset takes no process before it has CPUs and memory nodes.
    for file in cpuset.cpus cpuset.mems; do
      [[ ! -e $path/$file ]] || cgroup_v2 || cat "${path%/*}/$file" >"$path/$file"
    done
  done < <(cgroup_paths "$1")
  ! cgroup_v2 || cgroup_delegate "$CGROUP_ROOT"
}

# cgroup_delegate FOLDER: v2: hands all controllers on to the children, one by one: some may be missing.
cgroup_delegate() {
  local controller
  for controller in $(<"$1/cgroup.controllers"); do
    printf '+%s' "$controller" 2>/dev/null >"$1/cgroup.subtree_control" || true
  done
}

# cgroup_join NAME: moves the calling process (not its parent) there.
cgroup_join() {
  local path
  while read -r path; do
    [[ ! -d $path/$CGROUP_LEAF ]] || path+=/$CGROUP_LEAF
    printf '%s' "$BASHPID" >"$path/cgroup.procs"
  done < <(cgroup_paths "$1")
}

# cgroup_remove NAME: once all its processes are gone; 1 when something is left after 10 s.
cgroup_remove() { wait_until 10 cgroup_try_remove "$1"; }

cgroup_try_remove() {
  local path left=0
  while read -r path; do
    [[ ! -d $path ]] || find "$path" -depth -type d -exec rmdir {} + || left=1
  done < <(cgroup_paths "$1")
  return "$left"
}

# cgroup_mounts v1|v2 HIERARCHIES: in the sandbox: its own view, in which its cgroup is the root. The version and the
# output of cgroup_hierarchies must be taken before /sys is mounted anew.
cgroup_mounts() {
  local folder controllers
  if [[ $1 == v2 ]]; then
    mount -t cgroup2 cgroup2 "$CGROUP_ROOT"
    mkdir "$CGROUP_ROOT/$CGROUP_LEAF"
    printf 1 >"$CGROUP_ROOT/$CGROUP_LEAF/cgroup.procs"
    printf '%s' "$$" >"$CGROUP_ROOT/$CGROUP_LEAF/cgroup.procs"
    cgroup_delegate "$CGROUP_ROOT"
    return
  fi
  mount -t tmpfs -o mode=755 tmpfs "$CGROUP_ROOT"
  while read -r folder controllers; do
    mkdir "$CGROUP_ROOT/$folder"
    case $controllers in
    -) mount -t cgroup2 cgroup2 "$CGROUP_ROOT/$folder" ;;
    name=*) mount -t cgroup -o "none,$controllers" cgroup "$CGROUP_ROOT/$folder" ;;
    *) mount -t cgroup -o "$controllers" cgroup "$CGROUP_ROOT/$folder" ;;
    esac
  done <<<"$2"
}
