#!/usr/bin/env bash
# dist.sh: builds every platform's archive into dist/, and renders the krew manifest and the Homebrew formula from them.
# A clean work tree at a tag v* gives that version, anything else a snapshot; nothing is signed or published. SBOM=1 adds the SBOMs.
# dist.sh --publish: what the release workflow does at a tag. Signs (cosign on PATH), adds the SBOMs, and uploads into a draft of the
# GitHub release (GITHUB_TOKEN). docs/releasing.md has the whole way.
set -euo pipefail
cd "$(dirname "$0")/.."

die() { echo "error: $*" >&2; exit 1; }

# newest GIT-ARGUMENTS...: the newest version tag of those; a version is newer than its prereleases.
newest() {
  git -c versionsort.suffix=- for-each-ref --count=1 --sort=-version:refname --format='%(refname:lstrip=2)' "$@" 'refs/tags/v[0-9]*'
}

# version: without its v. A snapshot comes after the newest tag of its history, and before the next patch.
version() {
  local dirty='' tag core major minor patch commit
  [ -z "$(git status --porcelain)" ] || dirty=.dirty
  tag=$(newest --points-at HEAD)
  if [ -n "$tag" ] && [ -z "$dirty" ]; then
    echo "${tag#v}"
    return
  fi
  tag=$(newest --merged HEAD)
  tag=${tag:-v0.0.0} core=${tag#v} core=${core%%-*}
  IFS=. read -r major minor patch <<<"$core"
  [ "$core" != "${tag#v}" ] || patch=$((patch + 1))
  # A g, as an identifier of digits only must not begin with 0.
  commit=$(git rev-parse --short=8 HEAD)
  echo "$major.$minor.$patch-snapshot.g$commit$dirty"
}

publish=''
case ${1:-} in
'') ;;
--publish) publish=1 ;;
*) echo "usage: dist.sh [--publish]" >&2; exit 2 ;;
esac
git rev-parse --verify --quiet HEAD >/dev/null || die "dist is built from a commit of a git repository; clone it, or commit first"

# goreleaser asks for the remote's address first, and knows not even the commit where there is none.
if ! git ls-remote --get-url >/dev/null 2>&1; then
  export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=remote.origin.url GIT_CONFIG_VALUE_0=https://github.com/tracebloc/kubectl-tracebloc
fi
goreleaser=$(hack/tool.sh goreleaser)
arguments=(release --clean)
skip=()
if [ -n "$publish" ]; then
  [ -n "${GITHUB_TOKEN:-}" ] || die "--publish needs GITHUB_TOKEN; the release workflow sets it, see docs/releasing.md"
  command -v cosign >/dev/null || die "--publish needs cosign on the PATH; the release workflow installs it, see docs/releasing.md"
  # Several tags may name this commit.
  export GORELEASER_CURRENT_TAG=${GITHUB_REF_NAME:-$(newest --points-at HEAD)}
else
  DIST_VERSION=$(version)
  export DIST_VERSION
  arguments+=(--snapshot)
  skip+=(sign)
fi
if [ -n "$publish" ] || [ -n "${SBOM:-}" ]; then
  syft=$(hack/tool.sh syft)
  bin=$(mktemp -d)
  trap 'rm -rf "$bin"' EXIT
  ln -s "$syft" "$bin/syft"
  export PATH=$bin:$PATH
else
  skip+=(sbom)
fi
[ ${#skip[@]} = 0 ] || arguments+=("--skip=$(IFS=, && echo "${skip[*]}")")
"$goreleaser" "${arguments[@]}"
go run ./hack/dist
