#!/bin/bash
# build.sh: the programs of the crash tests: ours, and the controller with the points at which it ends itself. With the
# workspace's features, so that nothing is built twice.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
CARGO_TARGET_DIR=$(tests/target-dir.sh)
export CARGO_TARGET_DIR
cargo build --locked --quiet --workspace --bins
cargo build --locked --quiet --workspace --features ostler-controller/fail-points --bin controller-with-fail-points
