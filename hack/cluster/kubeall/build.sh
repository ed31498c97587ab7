#!/usr/bin/env bash
# Prints the path of the kubeall binary, built when its sources, versions or Go changed since the last time.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../env.sh"
. "$here/../../gobuild.sh"

b=k8s.io/component-base/version
minor=${KUBE_VERSION#v1.}
ldflags="-s -w -X $b.gitVersion=$KUBE_VERSION -X $b.gitMajor=1 -X $b.gitMinor=${minor%%.*} -X $b.gitTreeState=clean"
ldflags+=" -X $b.gitCommit=0000000000000000000000000000000000000000 -X $b.buildDate=1970-01-01T00:00:00Z"
hash=$({ go env GOVERSION GOARCH; echo "$ldflags"; cat "$here"/go.mod "$here"/go.sum "$here"/*.go; } | sha256sum | cut -c1-12)
out=$BIN/kubeall-$hash
CGO_ENABLED=0 go_build "$out" "building Kubernetes ${KUBE_VERSION#v} from source, about 6 minutes, once" "$here" . -ldflags "$ldflags"
# Other clones may use other sources; what nobody started for a month is dropped.
touch "$out"
find "$BIN" -maxdepth 1 -name 'kubeall-*' -mtime +30 -delete
echo "$out"
