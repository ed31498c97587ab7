# Debian packages for the local cluster; sourced.

PACKAGES="containerd runc containernetworking-plugins busybox-static openssl iproute2 procps util-linux"

# install_packages asks apt only when something is missing, so that a second run needs no network.
install_packages() {
  local missing=() p
  command -v dpkg-query >/dev/null && command -v apt-get >/dev/null ||
    die "the local cluster needs Debian's packages ($PACKAGES); on other systems start Docker (kind is used then), or set KUBECONFIG and E2E_USE_KUBECONFIG=1"
  for p in $PACKAGES; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || missing+=("$p")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing Debian packages: ${missing[*]}"
  mkdir -p "$LOGS"
  { apt-get update &&
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"; } \
    >"$LOGS/apt.log" 2>&1 </dev/null || { tail -n 5 "$LOGS/apt.log" >&2; die "apt-get failed; its output is in $LOGS/apt.log"; }
}
