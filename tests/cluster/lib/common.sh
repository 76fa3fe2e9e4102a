# shellcheck shell=bash
# common.sh: what every script here needs: messages, waiting, the cache folder. Source it; it runs nothing.

# say TEXT...: one plain line of progress on stderr (stdout is for results).
say() { printf '%s\n' "$*" >&2; }

# die TEXT...: says why and ends the script.
die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# cache_dir: the folder for all that is slow to make and safe to delete.
cache_dir() { printf '%s' "${OSTLER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ostler}"; }

# hash_of FILE...: a short hash of the files' contents, in the order given.
hash_of() { cat -- "$@" | sha256sum | cut -c1-12; }

# now_ms: milliseconds since the epoch, without a process.
now_ms() { local t=${EPOCHREALTIME/[.,]/}; printf '%s' "${t%???}"; }

# seconds_since MS: "3.2", from a value of now_ms.
seconds_since() {
  local ms=$(($(now_ms) - $1))
  printf '%d.%d' $((ms / 1000)) $((ms % 1000 / 100))
}

# wait_until SECONDS CMD...: polls CMD every 50 ms until it succeeds; fails when the time is over.
wait_until() {
  local end=$(($(now_ms) + $1 * 1000))
  shift
  until "$@" >/dev/null 2>&1; do
    (($(now_ms) < end)) || return 1
    sleep 0.05
  done
}

# blame STEP LOG: says which step failed, the end of its log, and where the log is; ends the script.
blame() {
  local step=$1 log=$2
  say "${0##*/}: $step failed; the end of $log:"
  [[ -s $log ]] && tail -n 15 -- "$log" | sed 's/^/    /' >&2
  exit 1
}

# need_commands CMD...: names all missing commands at once.
need_commands() {
  local missing=() c
  for c; do command -v "$c" >/dev/null || missing+=("$c"); done
  ((${#missing[@]} == 0)) || die "missing commands: ${missing[*]} (see install-packages.sh)"
}

# need_root WHAT: ends the script with a reason when it is not run by root.
need_root() { ((EUID == 0)) || die "$1 needs root (it makes namespaces, mounts and a network link)"; }
