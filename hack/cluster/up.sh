#!/usr/bin/env bash
# Brings up the cluster for demo and end-to-end tests, and prints the path of its kubeconfig; nothing else goes to stdout.
# The cluster is the one given by KUBECONFIG (with E2E_USE_KUBECONFIG=1), else kind where a Docker engine answers,
# else Kubernetes built from source on this machine (Debian, root). Up already: nothing is changed.
set -euo pipefail
cd "$(dirname "$0")"
. ./env.sh

case $(backend) in
given)
  echo "$KUBECONFIG"
  ;;
kind)
  . ./kind.sh
  lock
  kind_up
  echo "$KIND_KUBECONFIG"
  ;;
local)
  . ./local.sh
  lock
  local_up
  echo "$STATE/kubeconfig"
  ;;
*) exit 1 ;;
esac
