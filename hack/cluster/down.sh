#!/usr/bin/env bash
# Ends the cluster that up.sh made: no process, mount, cgroup or bridge of it stays. A cluster given by KUBECONFIG
# is left alone. Not up: nothing happens.
set -euo pipefail
cd "$(dirname "$0")"
. ./env.sh

case $(backend) in
given) ;;
kind)
  . ./kind.sh
  lock
  kind_down
  ;;
local)
  . ./local.sh
  lock
  local_down
  ;;
*) exit 1 ;;
esac
