#!/usr/bin/env bash
# portable.sh: the unit tests that need neither a Unix nor busybox, for macOS and Windows. What runs in the stage Pod runs on Linux
# only, and the packages that test it execute it. windows-skip.txt has what expects a Unix all the same.
set -euo pipefail
cd "$(dirname "$0")/../.."
packages=()
while IFS= read -r package; do
  case $package in
  */pkg/podio | */pkg/podio/* | */pkg/stage) ;; # their tests run the Pod's scripts under busybox
  *) packages+=("$package") ;;
  esac
done < <(go list ./cmd/... ./pkg/... ./schemas ./hack/install ./hack/workflows)
[ ${#packages[@]} -gt 8 ] || { echo "error: go list found ${#packages[@]} packages" >&2; exit 1; }
skip='^$'
[ "$(go env GOOS)" != windows ] || skip="^($(grep '^Test' hack/workflows/windows-skip.txt | tr -d '\r' | paste -sd '|' -))\$"
go test -count=1 -skip "$skip" "${packages[@]}"
