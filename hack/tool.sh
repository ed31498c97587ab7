#!/usr/bin/env bash
# tool.sh NAME: prints the path of one of the tools that hack/tools pins, built from source when its version is new.
# Those that would drag each other's dependencies along have a module of their own there.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/gobuild.sh"

name=${1:?usage: tool.sh NAME}
dir=$here/tools takes="some minutes"
case $name in
actionlint) module=github.com/rhysd/actionlint package=$module/cmd/actionlint dir=$dir/$name takes="seconds" ;;
golangci-lint) module=github.com/golangci/golangci-lint/v2 package=$module/cmd/golangci-lint ;;
goreleaser) module=github.com/goreleaser/goreleaser/v2 package=$module dir=$dir/$name ;;
govulncheck) module=golang.org/x/vuln package=$module/cmd/govulncheck takes="a minute" ;;
kind) module=sigs.k8s.io/kind package=$module ;;
krew | validate-krew-manifest) module=sigs.k8s.io/krew package=$module/cmd/$name dir=$dir/krew takes="a minute" ;;
misspell) module=github.com/golangci/misspell package=$module/cmd/misspell takes="seconds" ;;
syft) module=github.com/anchore/syft package=$module/cmd/syft dir=$dir/$name ;;
*) printf 'error: unknown tool %q\n' "$name" >&2; exit 2 ;;
esac
version=$(go -C "$dir" list -m -f '{{.Version}}' "$module")
# A linter reads code only of the Go version that it was built with, or older.
out=$GO_CACHE_BIN/$name-$version-$(go env GOVERSION)
go_build "$out" "building $name $version from source, $takes, once" "$dir" "$package" \
  -ldflags "-s -w -X main.version=${version#v}"
echo "$out"
