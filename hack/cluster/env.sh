# Settings and small functions of the cluster scripts; sourced, never run.
# Every setting can be overridden from the environment.

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
CACHE=${CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kubectl-tracebloc}
BIN=$CACHE/bin                        # binaries built here, named by what they were built from
IMAGES=$CACHE/node-images            # archives that every new local node gets
STATE=$CACHE/cluster                  # lives as long as the cluster
LOGS=$CACHE/cluster-logs              # kept after the cluster's end, replaced by the next
RUN=${RUN:-/run/kubectl-tracebloc}    # sockets: a short path, they end at 108 bytes

CLUSTER=kubectl-tracebloc             # kind's name for the cluster
NODE=${NODE:-local}
APIPORT=${APIPORT:-16443} ETCDPORT=${ETCDPORT:-12379} KUBELETPORT=${KUBELETPORT:-11250}
PODCIDR=${PODCIDR:-10.244.0.0/24} SVCCIDR=${SVCCIDR:-10.96.0.0/16}
HOSTIP=${PODCIDR%.*}.1                # the bridge: the node's address, whatever the machine's own are
BRIDGE=cni-tracebloc
CGROOT=kubectl-tracebloc
KUBE_VERSION=v1.36.3                  # the newest kubelet that Debian 12's containerd 1.6 serves; kubeall/go.mod has the same

say() { printf 'cluster: %s\n' "$*" >&2; }
die() { printf 'cluster: error: %s\n' "$*" >&2; exit 1; }

quiet() { "$@" >/dev/null 2>&1; }

# await SECONDS WHAT COMMAND...: runs COMMAND until it succeeds.
await() {
  local end=$((SECONDS + $1)) what=$2
  shift 2
  until "$@"; do
    [ "$SECONDS" -lt "$end" ] || { say "error: waited in vain for $what; logs are in $LOGS"; return 1; }
    sleep 0.1
  done
}

# lock: one script at a time changes the cluster; descriptor 9 must not reach what outlives the script.
lock() {
  mkdir -p "$CACHE"
  exec 9>"$CACHE/cluster.lock"
  flock -n 9 || { say "waiting for another run of these scripts to end"; flock 9; }
}

# backend: given, kind or local. It is asked anew each time, so a Docker engine that comes or goes changes the answer.
backend() {
  if [ "${E2E_USE_KUBECONFIG:-}" = 1 ]; then
    [ -n "${KUBECONFIG:-}" ] || die "E2E_USE_KUBECONFIG=1 needs KUBECONFIG: the path of the kubeconfig to use"
    echo given
  elif command -v docker >/dev/null && timeout 20 docker info >/dev/null 2>&1; then
    echo kind
  else
    echo local
  fi
}
