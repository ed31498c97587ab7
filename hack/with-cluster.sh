#!/usr/bin/env bash
# with-cluster.sh COMMAND...: brings up the cluster and runs COMMAND with its KUBECONFIG, and with the plugin of bin/
# and a kubectl on PATH.
set -euo pipefail
[ $# -gt 0 ] || { echo "usage: with-cluster.sh COMMAND..." >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
KUBECONFIG=$("$here/cluster/up.sh")
kubectl=$("$here/kubectl.sh")
[ "$(command -v kubectl)" = "$kubectl" ] || PATH=${kubectl%/*}:$PATH
PATH=$(dirname "$here")/bin:$PATH
export KUBECONFIG PATH
exec "$@"
