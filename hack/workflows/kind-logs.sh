#!/usr/bin/env bash
# kind-logs.sh DIR: what the nodes of the kind cluster and the Pods on them have logged.
set -euo pipefail
dir=${1:?usage: kind-logs.sh DIR}
here=$(cd "$(dirname "$0")" && pwd)
kind=$("$here/../tool.sh" kind)
as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo)
"${as_root[@]}" "$kind" export logs --name kubectl-tracebloc "$dir"
"${as_root[@]}" chmod -R a+rX "$dir"
