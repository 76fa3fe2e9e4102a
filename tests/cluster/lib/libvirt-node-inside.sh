#!/bin/bash
# libvirt-node-inside.sh DIR STATE: runs below tini in the sandbox of `libvirt-node`; not for use by hand.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=common.sh
. "$here/lib/common.sh"
# shellcheck source=sandbox.sh
. "$here/lib/sandbox.sh"
# shellcheck source=inside.sh
. "$here/lib/inside.sh"
# shellcheck source=libvirt.sh
. "$here/lib/libvirt.sh"
DIR=$1 state=$2

announce_init
own_mounts
private run /run
libvirt_mounts
name_host "$(<"$DIR/name")" 127.0.1.1
ip link set lo up
echo 1 >/proc/sys/net/ipv4/ip_forward
[[ -z $state ]] || open_path "$state" "$DIR"
libvirt_start
wait
