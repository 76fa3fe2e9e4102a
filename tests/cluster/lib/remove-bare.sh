#!/bin/bash
# remove-bare.sh DIR WAS_NEW: the janitor's work after a bare cluster: removes what it made in DIR, and DIR itself when
# the cluster made it (WAS_NEW=1). A file DIR/keep-log keeps DIR/log.
set -euo pipefail
dir=$1 was_new=$2
keep=0
[[ ! -e $dir/keep-log ]] || keep=1
rm -rf -- "$dir"/{etcd,pki,kubeconfig,keep-log,.ostler-cluster}
((keep)) || rm -rf -- "$dir/log"
((!was_new)) || rmdir -- "$dir" 2>/dev/null || true
