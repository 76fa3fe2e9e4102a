# shellcheck shell=bash disable=SC2034,SC2154 # variables that other parts set or use
# libvirt.sh: libvirtd and virtlogd in a sandbox, set up as on a real host. Source it after inside.sh.

# libvirt_configure [QEMU_CONF_LINE...]: writes $DIR/etc/libvirt. The host's own /etc/libvirt stays out, but for its filters.
libvirt_configure() {
  local etc=$DIR/etc/libvirt
  mkdir -p "$etc"
  [[ -e $etc/nwfilter || ! -d /etc/libvirt/nwfilter ]] || cp -a /etc/libvirt/nwfilter "$etc/"
  # Without an id of its own two libvirtds on one machine take each other for the same host.
  [[ -s $etc/host-uuid ]] || cat /proc/sys/kernel/random/uuid >"$etc/host-uuid"
  cat >"$etc/libvirtd.conf" <<E
host_uuid = "$(<"$etc/host-uuid")"
unix_sock_rw_perms = "0770"
auth_unix_ro = "none"
auth_unix_rw = "none"
max_clients = 200
E
  # Consoles are bounded: virtlogd rolls a log over at this size.
  cat >"$etc/virtlogd.conf" <<E
max_size = 1048576
max_backups = 2
E
  {
    printf 'stdio_handler = "logd"\nsecurity_driver = "none"\n'
    (($# == 0)) || printf '%s\n' "$@"
  } >"$etc/qemu.conf"
}

# libvirt_mounts: the folders that libvirt writes, private to the sandbox. /run is private already.
libvirt_mounts() {
  mkdir -p /run/libvirt /run/lock
  private etc/libvirt /etc/libvirt
  private var/lib/libvirt /var/lib/libvirt
  private var/cache/libvirt /var/cache/libvirt
  private var/log/libvirt /var/log/libvirt
  hide_useless_kvm
}

# hide_useless_kvm: /dev/kvm without vmx or svm in the processor starts no guest, and where libvirt-qemu may not open it
# (no udev), libvirtd probes QEMU anew, for 12 s, at each start of a guest. In here it becomes a device nobody may open.
hide_useless_kvm() {
  [[ -e /dev/kvm ]] || return 0
  ! grep -qwE 'vmx|svm' /proc/cpuinfo || return 0
  rm -f /run/no-kvm
  mknod -m 000 /run/no-kvm c 1 3
  mount --bind /run/no-kvm /dev/kvm
}

# libvirt_start: both daemons under supervision.
libvirt_start() {
  supervise virtlogd virtlogd --config /etc/libvirt/virtlogd.conf --pid-file /run/virtlogd.pid
  supervise libvirtd libvirtd --config /etc/libvirt/libvirtd.conf --pid-file /run/libvirtd.pid
}

# libvirt_uri: how the host's processes reach it.
libvirt_uri() { printf 'qemu+unix:///system?socket=%s/sock/libvirt-sock' "$DIR"; }

# libvirt_answers: asked from the host.
libvirt_answers() { virsh --quiet --connect "$(libvirt_uri)" list --name; }
