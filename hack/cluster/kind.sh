# The cluster where a Docker engine answers: kind; sourced.

KIND_KUBECONFIG=$CACHE/kind.kubeconfig

KIND=$("$HERE/../tool.sh" kind)

kind() { "$KIND" "$@"; }

kind_exists() { kind get clusters 2>/dev/null | grep -qx "$CLUSTER"; }

kind_up() {
  KUBECTL=$("$HERE/../kubectl.sh" 9>&-)
  if kind_exists && kind export kubeconfig --name "$CLUSTER" --kubeconfig "$KIND_KUBECONFIG" >/dev/null 2>&1 &&
    "$KUBECTL" --kubeconfig "$KIND_KUBECONFIG" get --raw /readyz >/dev/null 2>&1; then
    say "already up (kind)"
    return 0
  fi
  say "creating a kind cluster"
  kind delete cluster --name "$CLUSTER" --kubeconfig "$KIND_KUBECONFIG" >/dev/null 2>&1 || :
  kind create cluster --name "$CLUSTER" --kubeconfig "$KIND_KUBECONFIG" --wait 180s \
    ${KIND_IMAGE:+--image "$KIND_IMAGE"} >&2
  await 300 "the service account \"default\"" quiet "$KUBECTL" --kubeconfig "$KIND_KUBECONFIG" -n default get serviceaccount default
}

kind_down() {
  kind_exists || return 0
  kind delete cluster --name "$CLUSTER" --kubeconfig "$KIND_KUBECONFIG" >&2
  rm -f "$KIND_KUBECONFIG"
}

kind_load() { kind load image-archive "$1" --name "$CLUSTER" >&2; }
