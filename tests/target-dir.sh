#!/bin/bash
# target-dir.sh: prints cargo's target folder for this checkout: CARGO_TARGET_DIR, or `target` here where there is one,
# or a folder in the cache that belongs to this path, so that a fresh clone at the same place is warm.
#
# Checkouts must not share one: cargo looks at the times of files, and takes what another checkout built later for newer
# than what lies here.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
if [[ -n ${CARGO_TARGET_DIR:-} ]]; then
  echo "$CARGO_TARGET_DIR"
elif [[ -d $here/target ]]; then
  echo "$here/target"
else
  echo "${OSTLER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ostler}/target-$(sha256sum <<<"$here" | cut -c1-12)"
fi
