#!/bin/bash
# venv.sh [REQUIREMENTS]: installs Python packages, by default the stock OpenStack clients of requirements.txt, into the
# cache, once, and prints the folder (its bin/openstack is the command). One folder for each state of the file and of Python.
# Cold: about 15 s.
#
# Environment: OSTLER_CACHE (default: ${XDG_CACHE_HOME:-~/.cache}/ostler), PYTHON (default: python3).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
requirements=${1:-$here/requirements.txt}
python=${PYTHON:-python3}
cache=${OSTLER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ostler}
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
key=$({ cat "$requirements"; command -v "$python"; echo "$version"; } | sha256sum | cut -c1-12)
dir=$cache/clients-$key

if [[ ! -e $dir/.complete ]]; then
  mkdir -p "$cache"
  exec {lock}>"$dir.lock"
  flock "$lock"
  if [[ ! -e $dir/.complete ]]; then
    rm -rf -- "$dir"
    log=$dir.log
    if ! { "$python" -m venv "$dir" &&
      "$dir/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements"; } >"$log" 2>&1; then
      printf 'venv.sh: installing the packages failed; the end of %s:\n' "$log" >&2
      tail -n 15 "$log" >&2
      exit 1
    fi
    : >"$dir/.complete"
    rm -f "$log"
  fi
fi
printf '%s\n' "$dir"
