#!/usr/bin/env bash
# publish.sh TAG: completes the draft release of TAG, whose archives, sums and signature hack/dist.sh --publish has uploaded, and makes
# it public in one step: nobody sees half a release. A tag with a hyphen is a prerelease, which is never the latest. GH_TOKEN must be
# allowed to write releases.
set -euo pipefail
tag=${1:?usage: publish.sh TAG}
cd "$(dirname "$0")/../.."
case $tag in
v[0-9]*.[0-9]*.[0-9]*) ;;
*) printf 'error: %q is no version tag such as v1.2.3 or v1.2.3-rc.1\n' "$tag" >&2; exit 2 ;;
esac
case $tag in
*-*) kind=(--prerelease --latest=false) ;;
*) kind=(--prerelease=false) ;;
esac
gh release upload "$tag" dist/tracebloc.yaml dist/kubectl-tracebloc.rb --clobber
gh release edit "$tag" "${kind[@]}" --draft=false
