#!/usr/bin/env bash
# busybox.sh: prints the paths of the busyboxes that the tests run the stage Pod's scripts under, with colons between them, as
# TRACEBLOC_BUSYBOX has them. One that is set already is printed as it is. Also sees to it that there is a busybox on PATH.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/gobuild.sh"

# VERSION SUITE: the version of the stage image, and one after 1.35. No Debian release has 1.36.
releases=("1.35 bookworm" "1.37 trixie")
instead="set TRACEBLOC_BUSYBOX to the absolute paths of busybox 1.35 and of 1.36 or newer, with a colon between them"

die() { echo "error: $*" >&2; exit 1; }

on_path() {
  ! command -v busybox >/dev/null || return 0
  command -v apt-get >/dev/null && [ "$(id -u)" = 0 ] ||
    die "the tests need busybox on the PATH; install it with your system's package manager (Debian: busybox-static)"
  echo "installing Debian package busybox-static" >&2
  { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends busybox-static; } >/dev/null </dev/null ||
    die "busybox-static could not be installed"
}

# cached VERSION: its file. busybox looks at the name that it is called by, which has to begin like this.
cached() { echo "$GO_CACHE_BIN/busybox-$1"; }

# mirror: the address that this machine has for Debian's releases; nothing needs to have been downloaded from it before.
mirror() {
  apt-get --no-release-info indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
    awk '$1 !~ /[-\/]/ && $2 == "main" && !seen++ { print $3 }'
}

# configure TMP URI: an apt that knows the releases, and leaves the system's lists and packages as they are.
configure() {
  local tmp=$1 uri=$2 release
  mkdir -p "$tmp/lists/partial" "$tmp/cache/archives/partial"
  for release in "${releases[@]}"; do
    echo "deb [target=Packages signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri ${release#* } main"
  done >"$tmp/sources.list"
  # The system's hooks after an update are about the system's lists. A suite that cannot be had must not be only a warning.
  cat >"$tmp/apt.conf" <<EOF
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
APT::Update::Error-Mode "any";
APT::Sandbox::User "root";
Dir::State::lists "$tmp/lists";
Dir::Cache "$tmp/cache";
Dir::Etc::sourcelist "$tmp/sources.list";
Dir::Etc::sourceparts "-";
EOF
}

# unpack TMP VERSION SUITE: Debian's busybox-static, whose signature apt has checked, as the file that cached names.
unpack() {
  local dir=$1/$2 out part found
  out=$(cached "$2") part=$out.part
  mkdir "$dir" && (cd "$dir" && apt-get -q -c "$1/apt.conf" download "busybox-static/$3" && dpkg-deb -x ./*.deb root) || return
  for found in "$dir"/root/{,usr/}bin/busybox; do
    [ ! -f "$found" ] || install -m 755 "$found" "$part" || return
  done
  if [[ $("$part" 2>&1) != "BusyBox v$2."* ]]; then
    rm -f "$part"
    echo "busybox-static of $3 is not busybox $2"
    return 1
  fi
  mv "$part" "$out"
}

# fetch TMP "VERSION SUITE"...
fetch() {
  local tmp=$1 release
  shift
  apt-get -q -c "$tmp/apt.conf" update || return
  for release in "$@"; do
    unpack "$tmp" "${release% *}" "${release#* }" || return
  done
}

# fetch_missing holds a lock while it looks and fetches. It is a subshell, for the lock and the trap.
fetch_missing() (
  missing=()
  exec 8>"$GO_CACHE_BIN/busybox.lock"
  flock 8
  for release in "${releases[@]}"; do
    [ -x "$(cached "${release% *}")" ] || missing+=("$release")
  done
  [ ${#missing[@]} -gt 0 ] || exit 0
  command -v apt-get >/dev/null || die "the tests need two versions of busybox, which only apt can be asked for; $instead"
  uri=$(mirror) && [ -n "$uri" ] || die "apt has no Debian release configured to take busybox from; $instead"
  tmp=$(mktemp -d)
  trap 'rm -rf "$tmp"' EXIT
  trap 'exit 130' INT TERM
  configure "$tmp" "$uri"
  echo "fetching busybox for the tests from Debian: ${missing[*]% *}" >&2
  fetch "$tmp" "${missing[@]}" >"$tmp/log" 2>&1 </dev/null || {
    tail -n 8 "$tmp/log" >&2
    die "busybox could not be fetched; try again, or $instead"
  }
)

on_path
if [ -n "${TRACEBLOC_BUSYBOX:-}" ]; then
  IFS=: read -ra paths <<<"$TRACEBLOC_BUSYBOX"
  for path in "${paths[@]}"; do
    [[ $path = /* && -x $path ]] || die "TRACEBLOC_BUSYBOX names $path, which is not the absolute path of a program; correct it, or unset it"
  done
else
  mkdir -p "$GO_CACHE_BIN"
  fetch_missing
  paths=()
  for release in "${releases[@]}"; do
    paths+=("$(cached "${release% *}")")
  done
fi
(IFS=: && echo "${paths[*]}")
