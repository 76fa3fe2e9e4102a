#!/bin/bash
# remove-libvirt-node.sh DIR WAS_NEW: the janitor's work after `libvirt-node run` and `down --purge`: removes what it made
# in DIR, and DIR itself when it made it (WAS_NEW=1). A file DIR/keep-log keeps DIR/log.
set -euo pipefail
dir=$1 was_new=$2
keep=0
[[ ! -e $dir/keep-log ]] || keep=1
rm -rf -- "${dir:?}"/{run,sock,etc,var,hosts,name,init.pid,keep-log,.ostler-node}
((keep)) || rm -rf -- "$dir/log"
((!was_new)) || rmdir -- "$dir" 2>/dev/null || true
