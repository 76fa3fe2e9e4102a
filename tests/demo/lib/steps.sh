# shellcheck shell=bash disable=SC2154 # variables of demo.sh
# steps.sh: a list of steps with a live line each: what runs, for how long, and the last thing that it said.

step_names=() step_commands=()

# step NAME COMMAND...: appends a step. Its output goes into a log of its own.
step() {
  step_names+=("$1")
  shift
  step_commands+=("$(printf '%q ' "$@")")
}

# live_line TEXT: rewrites the last line of a terminal; a pipe gets nothing.
live_line() {
  [[ -t 1 ]] || return 0
  printf '\r\033[K%s' "$(cut -c "1-$(($(tput cols 2>/dev/null || echo 100) - 1))" <<<"$1")"
}

# bar DONE ALL: a bar of ten places.
bar() {
  local full=$(($1 * 10 / $2)) text='' i
  for ((i = 0; i < 10; i++)); do if ((i < full)); then text+='#'; else text+='.'; fi; done
  printf '[%s]' "$text"
}

# run_step NUMBER: in the background, with its live line; a failure says which, why, and where the log is.
run_step() {
  local i=$1 name=${step_names[$1]} log started=$SECONDS last pid
  log=$demo/log/$(printf '%02d' "$((i + 1))")-${name// /-}.log
  : >"$log"
  (set -euo pipefail && eval "${step_commands[$i]}") >"$log" 2>&1 </dev/null &
  pid=$!
  trap 'kill $pid 2>/dev/null; echo; exit 130' INT TERM
  while kill -0 "$pid" 2>/dev/null; do
    last=$(tail -c 400 "$log" | tr '\r' '\n' | grep -v '^ *$' | tail -n 1 || true)
    live_line "$(printf '%s %2d/%d  %-26s %4d s  %s' "$(bar "$i" ${#step_names[@]})" "$((i + 1))" ${#step_names[@]} "$name" "$((SECONDS - started))" "$last")"
    sleep 0.2
  done
  trap - INT TERM
  if wait "$pid"; then
    live_line ''
    printf '  ok   %2d/%d  %-26s %4d s\n' "$((i + 1))" ${#step_names[@]} "$name" "$((SECONDS - started))"
  else
    live_line ''
    printf 'FAILED %2d/%d  %s, after %d s. It said last:\n\n' "$((i + 1))" ${#step_names[@]} "$name" "$((SECONDS - started))" >&2
    tail -n 15 "$log" | sed 's/^/    /' >&2
    printf '\nThe whole log: %s\nAfter mending it, run `make demo` again: it goes on from here. `make demo-down` removes everything.\n' "$log" >&2
    exit 1
  fi
}

run_steps() {
  local i
  for ((i = 0; i < ${#step_names[@]}; i++)); do run_step "$i"; done
}
