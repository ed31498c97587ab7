#!/usr/bin/env bash
# Prints the path of a kubectl that works: the one on PATH, else one built from source, once.
# Its directory can be put on PATH: the built one has it to itself.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/gobuild.sh"

# A file of this name may be a wrapper whose real program is missing, so it is asked something.
if found=$(command -v kubectl) && "$found" version --client >/dev/null 2>&1; then
  echo "$found"
  exit 0
fi
version=$(sed -n 's/^\tk8s\.io\/kubectl v0/v1/p' "$here/kubectl/go.mod")
out=$GO_CACHE_BIN/kubectl-$version/kubectl
b=k8s.io/component-base/version
minor=${version#v1.}
go_build "$out" "building kubectl $version from source, 1-2 minutes, once" "$here/kubectl" . \
  -ldflags "-s -w -X $b.gitVersion=$version -X $b.gitMajor=1 -X $b.gitMinor=${minor%%.*} -X $b.gitTreeState=clean"
echo "$out"
