#!/bin/bash
# run.sh [OPERATION...]: crashes after every point of these operations, or of all (`run.sh --list`).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
"$here/build.sh"
exec "$("$here/../target-dir.sh")/debug/crash" "$@"
