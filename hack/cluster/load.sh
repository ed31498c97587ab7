#!/usr/bin/env bash
# load.sh ARCHIVE...: puts image archives (docker-archives or OCI layouts, as tar) into the running cluster's node.
# A kubelet that is asked for REPOSITORY@DIGEST finds an image only if the archive names it that way, too.
set -euo pipefail
[ $# -gt 0 ] || { echo "usage: load.sh ARCHIVE..." >&2; exit 2; }
paths=()
for f in "$@"; do
  [ -f "$f" ] || { printf 'cluster: error: no such file: %q\n' "$f" >&2; exit 1; }
  paths+=("$(realpath "$f")")
done
cd "$(dirname "$0")"
. ./env.sh

kind=$(backend)
case $kind in
given) die "a given cluster takes images from its registry; nothing was loaded" ;;
kind) . ./kind.sh ;;
local) . ./local.sh ;;
*) exit 1 ;;
esac
lock
"${kind}_exists" || die "the cluster is not up: run hack/cluster/up.sh first"
for f in "${paths[@]}"; do
  say "loading ${f##*/}"
  "${kind}_load" "$f"
done
