#!/usr/bin/env bash
# vet-all.sh: what can be said of Windows and macOS without them: the code and its tests are vetted for both, and the plugin is built
# for the platforms of a release that nothing else here builds.
set -euo pipefail
cd "$(dirname "$0")/../.."
# As the release does it, so that the build cache serves both.
export GOFLAGS=-trimpath CGO_ENABLED=0
for platform in windows/amd64 darwin/arm64; do
  echo "vet: $platform"
  GOOS=${platform%/*} GOARCH=${platform#*/} go vet ./...
done
for platform in windows/arm64 darwin/amd64; do
  echo "build: $platform"
  GOOS=${platform%/*} GOARCH=${platform#*/} go build -o /dev/null ./cmd/kubectl-tracebloc
done
