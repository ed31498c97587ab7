#!/usr/bin/env bash
# e2e.sh MINOR: runs the end-to-end tests on a kind cluster of a Kubernetes minor that kind-images.txt lists, such as 1.29. It needs a
# Docker engine and, for the tests that mount file systems, root: without it sudo is asked.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
minor=${1:?usage: e2e.sh MINOR}
image=$(awk -v minor="$minor" '!/^#/ && $1 "" == minor "" { print $2 }' "$here/kind-images.txt")
[ -n "$image" ] || { printf 'error: kind-images.txt has no image of Kubernetes %q\n' "$minor" >&2; exit 2; }
cd "$here/../.."
# The images of the stand-ins are put together from the system's packages.
as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo env "PATH=$PATH" "HOME=$HOME")
"${as_root[@]}" apt-get -q update
"${as_root[@]}" env "KIND_IMAGE=$image" make e2e
