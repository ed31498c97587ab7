#!/usr/bin/env bash
# tool.sh NAME: prints the path of one of the tools that hack/tools pins, built from source when its version is new.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/gobuild.sh"

name=${1:?usage: tool.sh NAME}
case $name in
golangci-lint) module=github.com/golangci/golangci-lint/v2 package=$module/cmd/golangci-lint ;;
kind) module=sigs.k8s.io/kind package=$module ;;
*) printf 'error: unknown tool %q\n' "$name" >&2; exit 2 ;;
esac
version=$(go -C "$here/tools" list -m -f '{{.Version}}' "$module")
# A linter reads code only of the Go version that it was built with, or older.
out=$GO_CACHE_BIN/$name-$version-$(go env GOVERSION)
go_build "$out" "building $name $version from source, some minutes, once" "$here/tools" "$package" \
  -ldflags "-s -w -X main.version=${version#v}"
echo "$out"
