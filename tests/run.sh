#!/bin/bash
# run.sh: phase after phase, each with its time.
#
#   run.sh all     packages, builds, lints, tests; the last line is `N passed, N failed`
#   run.sh lint    the lints
#
# A failed preparation ends the run, a failed lint does not: it counts as one failed check beside the tests.
# Environment: OSTLER_CACHE, CARGO_TARGET_DIR (see target-dir.sh), KUBEBUILDER_ASSETS, OSTLER_KEEP_LOGS=1.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/.."
cache=${OSTLER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ostler}
CARGO_TARGET_DIR=$(tests/target-dir.sh)
export CARGO_TARGET_DIR
# A fresh clone gains nothing from it.
[[ -z ${CI:-} ]] || export CARGO_INCREMENTAL=0
CARGO_DENY_VERSION=0.20.2
# Errors of tests speak for themselves.
export RUST_LIB_BACKTRACE=${RUST_LIB_BACKTRACE:-0}

number=0 failed=0

# phase NAME CMD...: a headline, the command's own output, and the time.
phase() {
  local name=$1 t0=$SECONDS status=0
  shift
  number=$((number + 1))
  printf '==> %d. %s\n' "$number" "$name"
  "$@" || status=$?
  printf '    %s: %s after %d s\n' "$name" "$( ((status)) && echo FAILED || echo "done")" "$((SECONDS - t0))"
  return "$status"
}

# prepare NAME CMD...: a phase without which nothing else can run.
prepare() {
  phase "$@" && return
  printf '0 passed, 1 failed\n'
  exit 1
}

# judge NAME CMD...: a phase whose failure is counted.
judge() { phase "$@" || failed=$((failed + 1)); }

tools_are_there() {
  local missing=0
  command -v cargo >/dev/null || { echo "Rust is missing: install rustup, it brings the version of rust-toolchain.toml" >&2 && missing=1; }
  command -v go >/dev/null || { echo "Go 1.26 or newer is missing: the Kubernetes binaries are built with it" >&2 && missing=1; }
  ((missing == 0))
}

# cargo_deny ARGS...: installed into the cache at first, which takes some minutes.
cargo_deny() {
  local dir=$cache/tools/cargo-deny-$CARGO_DENY_VERSION
  if [[ ! -x $dir/bin/cargo-deny ]]; then
    echo "building cargo-deny $CARGO_DENY_VERSION (once, 2 to 5 minutes)"
    CARGO_TARGET_DIR='' cargo install --quiet --locked cargo-deny --version "$CARGO_DENY_VERSION" --root "$dir"
  fi
  "$dir/bin/cargo-deny" "$@"
}

licences_and_bans() {
  # Advisories need a database from the net and would fail a change for what others found: run them on a schedule
  # (`cargo deny check advisories`).
  echo "advisories are not asked for here (they need the net)"
  cargo_deny --all-features --log-level error check bans licenses sources
}

chart() {
  local helm
  helm=$(tests/cluster/build.sh --dir)/helm
  "$helm" lint --quiet --strict charts/ostler
}

lints() {
  judge "format" cargo fmt --all --check
  judge "clippy" cargo clippy --locked --workspace --all-targets --quiet -- --deny warnings
  judge "house rules" cargo xtask check
  judge "licences and bans" licences_and_bans
  judge "chart" chart
}

all() {
  prepare "Rust and Go" tools_are_there
  prepare "Debian packages" tests/cluster/install-packages.sh
  prepare "Kubernetes binaries" tests/cluster/build.sh full
  prepare "OpenStack clients" tests/clients/venv.sh
  prepare "tempest" tests/clients/venv.sh tests/conformance/requirements.txt
  prepare "guest image" tests/guest-image/build.sh
  prepare "build" cargo build --locked --workspace --all-targets
  lints
  number=$((number + 1))
  printf '==> %d. tests\n' "$number"
  # The cluster's own checks and tempest are scripts; their counts are added.
  local status=0
  cargo xtask test --already-failed "$failed" \
    --suite tests/cluster/check.sh --suite "tests/conformance/run.sh first" || status=$?
  exit "$status"
}

case ${1:-} in
all) all ;;
lint)
  prepare "Kubernetes binaries (helm)" tests/cluster/build.sh helm
  lints
  ((failed == 0))
  ;;
*)
  sed -n '2,8p' "${BASH_SOURCE[0]}" | sed 's/^# \{0,1\}//' >&2
  exit 2
  ;;
esac
