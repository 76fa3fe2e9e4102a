# shellcheck shell=bash disable=SC2034,SC2154 # variables that other parts set or use
# leash.sh: ends a foreground cluster whatever happens to its runner. Source it after common.sh.
#
# The runner holds the write end of a pipe; a janitor process in its own session holds the read end and sees EOF when
# the runner is gone, be it by `kill -9`. Daemons that are started with `leashed` get SIGKILL from the kernel then.

# leash CMD...: starts the janitor, which runs CMD once the runner has ended or called unleash.
leash() {
  # shellcheck disable=SC2016 # the janitor's own expansion
  exec {LEASH}> >(exec setsid bash -c 'cat; exec "$@"' janitor "$@" >/dev/null 2>&1)
  JANITOR=$!
}

# unleash: lets the janitor do its work and waits for it.
unleash() {
  exec {LEASH}>&-
  wait "$JANITOR" 2>/dev/null || true
}

# leashed CMD...: becomes CMD, which the kernel kills when the runner (its parent) dies.
leashed() { exec setpriv --pdeathsig KILL -- "$@"; }

# end_with_stdin: from now on the end of stdin is as good as SIGTERM.
end_with_stdin() {
  exec {STDIN_COPY}<&0
  # shellcheck disable=SC2016 # the child's own expansion
  leashed bash -c 'while IFS= read -r _; do :; done; kill -TERM "$1"' stdin-watch "$$" \
    <&"$STDIN_COPY" >/dev/null 2>&1 &
  STDIN_WATCH=$!
  disown "$STDIN_WATCH" # no "Killed" on stderr when it ends
  exec {STDIN_COPY}<&-
}
