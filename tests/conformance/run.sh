#!/bin/bash
# run.sh: tempest against real parts and real guests; `make conformance` in words.
#
#   run.sh          builds, installs tempest, runs; the last line is `N passed, N failed, N skipped`
#   run.sh first    the first list alone, at its own settings and in a stack of its own: a part of `make test`
#   run.sh down     ends a stack that was kept
#
# LIST=FILE…     lists of test expressions (default: lists/t1.txt, t2.txt and t3.txt)
# FLOOR=2.72…    the lowest microversion that tests send (default: 2.1, and with the default lists again 2.72 and 2.87)
# WORKERS=2      tests at once
# KEEP=1         keeps the stack for the next run; programs that you build meanwhile are started anew in it
#
# Needs root, for libvirt. Logs of the last run: conformance-run/tempest/logs beside the programs in cargo's target folder.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."
CARGO_TARGET_DIR=$(tests/target-dir.sh)
export CARGO_TARGET_DIR CARGO_MANIFEST_DIR=$here RUST_LIB_BACKTRACE=${RUST_LIB_BACKTRACE:-0}
# An empty one is as good as none.
for name in LIST FLOOR WORKERS; do [[ -n ${!name:-} ]] || unset "$name"; done
conformance=$CARGO_TARGET_DIR/debug/conformance

# keep: starts a stack that outlives this run, unless there is one.
keep() {
  local log=$CARGO_TARGET_DIR/debug/conformance-run/up.log holder
  "$conformance" status >/dev/null && return
  mkdir -p "$(dirname "$log")"
  setsid "$conformance" up </dev/null >"$log" 2>&1 &
  holder=$!
  until "$conformance" status >/dev/null; do
    kill -0 "$holder" 2>/dev/null || { cat "$log" >&2 && return 1; }
    sleep 0.5
  done
}

# The whole workspace: fewer packages would have other features, and so be built once more.
cargo build --locked --quiet --workspace --bins
case ${1:-run} in
run)
  [[ -z ${KEEP:-} ]] || keep
  "$conformance" run
  ;;
first)
  unset FLOOR WORKERS
  "$conformance" run --own-stack --list tests/conformance/lists/t1.txt
  ;;
down) "$conformance" down ;;
*)
  sed -n '2,14p' "${BASH_SOURCE[0]}" | sed 's/^# \{0,1\}//' >&2
  exit 2
  ;;
esac
