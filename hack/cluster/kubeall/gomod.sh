#!/usr/bin/env bash
# gomod.sh vX.Y.Z: moves go.mod to that Kubernetes; `go mod tidy` completes it. k8s.io/kubernetes names its staging
# modules at v0.0.0, which only its own tree can resolve, so each needs a replace. KUBE_VERSION in env.sh must follow.
set -euo pipefail
cd "$(dirname "$0")"
version=${1:?usage: gomod.sh vX.Y.Z}
staging=v0.${version#v1.}
upstream=$(go mod download -json "k8s.io/kubernetes@$version" | sed -n 's/.*"GoMod": "\(.*\)",/\1/p')
{
  printf 'module %s\n\n' "$(go list -m)"
  sed -n 's/^go /go /p' "$upstream"
  printf '\nrequire k8s.io/kubernetes %s\n\nreplace (\n' "$version"
  grep -oE '^\s+k8s\.io/[a-z0-9-]+ v0\.0\.0( |$)' "$upstream" | awk '{print $1}' | sort -u |
    while read -r m; do printf '\t%s => %s %s\n' "$m" "$m" "$staging"; done
  echo ')'
} >go.mod.new
mv go.mod.new go.mod
go mod tidy
