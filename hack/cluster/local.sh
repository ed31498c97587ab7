# The cluster without Docker: Kubernetes from source on this machine; sourced.

. "$HERE/packages.sh"
. "$HERE/pki.sh"
. "$HERE/processes.sh"
. "$HERE/node.sh"
. "$HERE/controlplane.sh"

kubectl() { "$KUBECTL" --kubeconfig "$STATE/kubeconfig" "$@"; }

node_ready() { [ "$(kubectl get node "$NODE" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}' 2>/dev/null)" = True ]; }

local_healthy() {
  local name
  for name in etcd apiserver kcm scheduler provisioner node; do alive "$name" || return 1; done
  kubectl get --raw /readyz >/dev/null 2>&1 && node_ready
}

check_machine() {
  [ "$(uname -s)" = Linux ] || die "the local cluster needs Linux; here, start Docker (kind is used then), or set KUBECONFIG and E2E_USE_KUBECONFIG=1"
  [ "$(id -u)" = 0 ] || die "the local cluster needs root; without it, start Docker (kind is used then), or set KUBECONFIG and E2E_USE_KUBECONFIG=1"
  command -v go >/dev/null || die "go is not on PATH; install Go 1.26 or newer"
}

check_ports() {
  local port
  for port in "$APIPORT" "$ETCDPORT" "$((ETCDPORT + 1))" "$KUBELETPORT"; do
    [ -z "$(ss -Hltn "sport = :$port")" ] ||
      die "port $port is in use by another program (ss -ltnp 'sport = :$port'); set APIPORT, ETCDPORT or KUBELETPORT"
  done
}

# start_local's order: the node starts while the API server does, and the controllers need the API server.
start_local() {
  mkdir -p "$STATE/pids" "$LOGS"
  rm -f "$LOGS"/*.log
  make_pki
  start_etcd
  start_apiserver
  start_node
  await 300 "the API server" running apiserver quiet kubectl get --raw /readyz
  say "the API server answers"
  start_controllers
  apply_storage_class
  await 300 "the node to be Ready" running node node_ready
  # Its controller makes it some seconds later, and until then no Pod can be created.
  await 300 "the service account \"default\"" running kcm quiet kubectl -n default get serviceaccount default
}

local_up() {
  check_machine
  install_packages
  KUBECTL=$("$HERE/../kubectl.sh" 9>&-)
  if local_healthy; then
    say "already up"
    return 0
  fi
  KUBEALL=$("$HERE/kubeall/build.sh" 9>&-)
  "$HERE/images.sh" 9>&-
  stop_all
  rm -rf "$STATE"
  check_ports
  trap 'say "not up: stopping what was started; logs are in $LOGS"; stop_all' EXIT
  trap 'exit 130' INT TERM
  local began=$SECONDS
  start_local
  trap - EXIT INT TERM
  say "Kubernetes $KUBE_VERSION is up after $((SECONDS - began)) s; logs are in $LOGS"
}

local_down() {
  [ -d "$STATE" ] || return 0
  [ "$(id -u)" = 0 ] || die "the local cluster needs root to be ended"
  stop_all
  rm -rf "$STATE"
  say "down"
}

local_exists() { alive node; }

local_load() { ctr -a "$RUN/containerd.sock" -n k8s.io images import --all-platforms "$1" >&2; }
