#!/usr/bin/env bash
# smoke.sh TAG: installs a published release as people do, and sees that it starts and says that it is TAG.
set -euo pipefail
tag=${1:?usage: smoke.sh TAG}
here=$(cd "$(dirname "$0")" && pwd)
prefix=$(mktemp -d)
trap 'rm -rf "$prefix"' EXIT
sh "$here/../install.sh" --version "$tag" --prefix "$prefix"
said=$("$prefix/bin/kubectl-tracebloc" version --client)
printf '%s\n' "$said"
case $said in
*"$tag"*) ;;
*) printf 'error: the plugin does not say that it is %q\n' "$tag" >&2; exit 1 ;;
esac
