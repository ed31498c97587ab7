#!/bin/sh
# install.sh: installs kubectl-tracebloc from a release, for people without krew. Linux and macOS; install.ps1 is for Windows.
#
#   curl -fsSL https://raw.githubusercontent.com/tracebloc/kubectl-tracebloc/main/hack/install.sh | sh -s -- --help
#
# Any POSIX shell runs it: dash, busybox sh, bash. A shell reads all that stands between the braces before it does any of it, so that
# a download that was cut does nothing.
{
set -eu

project=https://github.com/tracebloc/kubectl-tracebloc
issuer=https://token.actions.githubusercontent.com
plugin=kubectl-tracebloc
shim=kubectl_complete-tracebloc

usage() {
  cat <<END
Install the kubectl plugin tracebloc, and its completion, from a release.

Usage: install.sh [flags]

  --version vX.Y.Z   the release to install; the newest by default
  --prefix DIR       install into DIR/bin, which is made if need be; by default /usr/local, or ~/.local where that is not writable
  --base-url URL     a mirror of $project/releases, which has download/vX.Y.Z/FILE below it;
                     the environment variable TRACEBLOC_BASE_URL says the same
  --skip-signature   do not verify the signature, although cosign is there; sums are always verified
  --dry-run          print what would be done; nothing but the newest version is looked up
  --help             print this text

The archive must have the SHA256 that the release's SHA256SUMS names, and where cosign is on the PATH, SHA256SUMS must be signed by the
release workflow. Proxies are taken from https_proxy, http_proxy and no_proxy.

Exit codes: 0 installed; 1 the download or its verification failed; 2 the flags are wrong; 3 this machine lacks something: a platform that
releases have, a tool, a directory that can be written. After a failure an earlier installation is as it was.
END
}

say() { printf '%s\n' "$*" >&2; }

# fail CODE TEXT...
fail() {
  code=$1
  shift
  say "error: $*"
  exit "$code"
}

# clean: stdin, without what a terminal would obey, and without the credentials of a URL.
clean() { LC_ALL=C tr -d '\000-\010\013-\037\177' | sed 's#://[^/@ ]*@#://#g'; }

# quote TEXT: TEXT for a message.
quote() { printf '"%s"' "$(printf '%s' "$1" | clean)"; }

# has TOOL...: prints the first that is there.
has() {
  for tool in "$@"; do
    if command -v "$tool" >/dev/null 2>&1; then printf '%s' "$tool" && return; fi
  done
  return 1
}

# What this run has made, and leave takes away again.
tmp='' new_plugin='' new_shim=''

leave() {
  for made in "$new_plugin" "$new_shim" "$tmp"; do
    if [ -n "$made" ]; then rm -rf "$made"; fi
  done
}

set_flag() {
  if [ -z "$2" ]; then fail 2 "flag $1 needs a value"; fi
  case $1 in
  --version) version=$2 ;;
  --prefix) prefix=$2 ;;
  --base-url) base=$2 ;;
  esac
}

parse() {
  version='' prefix='' base=${TRACEBLOC_BASE_URL:-$project/releases} dry_run='' skip_signature=''
  while [ $# -gt 0 ]; do
    case $1 in
    --version | --prefix | --base-url)
      # What looks like a flag is one, whose predecessor lost its value.
      case ${2:-} in '' | --*) fail 2 "flag $1 needs a value" ;; esac
      set_flag "$1" "$2"
      shift
      ;;
    --version=* | --prefix=* | --base-url=*) set_flag "${1%%=*}" "${1#*=}" ;;
    --dry-run) dry_run=1 ;;
    --skip-signature) skip_signature=1 ;;
    -h | --help) usage && exit ;;
    *) fail 2 "unknown argument $(quote "$1"); see --help" ;;
    esac
    shift
  done
}

# valid VERSION: whether it is a tag of ours, and so nothing else in a URL or a file name.
valid() {
  case $1 in *[!0-9A-Za-z.-]*) return 1 ;; esac
  printf '%s\n' "$1" | LC_ALL=C grep -Eq '^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$'
}

check_flags() {
  if [ -n "$version" ]; then
    version=v${version#v}
    valid "$version" || fail 2 "version $(quote "$version") is not of the form v1.2.3; $project/releases lists what there is"
  fi
  case $base in *[!][0-9A-Za-z._~:/@%+=,-]*) fail 2 "base URL $(quote "$base") has characters that a URL has not" ;; esac
  while [ "${base%/}" != "$base" ]; do base=${base%/}; done
  protocols='=https'
  case $base in
  https://?*) ;;
  http://?*)
    protocols='=http,https' authority=${base#http://} authority=${authority%%/*}
    case ${authority##*@} in
    localhost | localhost:* | 127.0.0.1 | 127.0.0.1:* | "[::1]" | "[::1]:"*) ;;
    *) say "warning: $(quote "$base") is not https: whoever is on the way can exchange both the archive and its sum" ;;
    esac
    ;;
  *) fail 2 "base URL $(quote "$base") must begin with https://, or http:// for a mirror that you trust" ;;
  esac
}

unsupported() {
  fail 3 "releases have nothing for $(quote "$1"), and krew takes the plugin from the same releases;" \
    "build it from source: git clone $project && cd $plugin && make install"
}

find_platform() {
  machine="$(uname -s) $(uname -m)" || fail 3 "uname does not tell the platform"
  os=${machine%% *} arch=${machine#* }
  case $os in
  Linux) os=linux ;;
  Darwin)
    os=darwin
    # Under Rosetta, a shell is told that the machine is an Intel one.
    if [ "$arch" = x86_64 ] && [ "$(sysctl -n sysctl.proc_translated 2>/dev/null)" = 1 ]; then arch=arm64; fi
    ;;
  MINGW* | MSYS* | CYGWIN*) fail 3 "this is Windows; use install.ps1 in PowerShell, or kubectl krew install tracebloc" ;;
  *) unsupported "$machine" ;;
  esac
  case $arch in
  x86_64 | amd64) arch=amd64 ;;
  aarch64 | arm64) arch=arm64 ;;
  armv6* | armv7* | armv8l | armhf) arch=arm ;;
  i[3-6]86 | x86) arch=386 ;;
  *) unsupported "$machine" ;;
  esac
  case $os/$arch in darwin/arm | darwin/386) unsupported "$machine" ;; esac
}

find_tools() {
  client=$(has curl wget) || fail 3 "neither curl nor wget is on the PATH; install one of them"
  sum_tool=$(has sha256sum shasum openssl) ||
    fail 3 "none of sha256sum, shasum and openssl is on the PATH; without one the download cannot be verified, and nothing is installed"
  has tar >/dev/null || fail 3 "tar is not on the PATH; install it"
  cosign=''
  if [ -z "$skip_signature" ]; then cosign=$(has cosign) || cosign=''; fi
  # curl reads the capital spellings as well, wget does not.
  if [ "$client" = wget ]; then
    if [ -z "${https_proxy:-}" ] && [ -n "${HTTPS_PROXY:-}" ]; then export https_proxy="$HTTPS_PROXY"; fi
    if [ -z "${no_proxy:-}" ] && [ -n "${NO_PROXY:-}" ]; then export no_proxy="$NO_PROXY"; fi
  fi
}

# writable DIR: whether DIR can be written, or made. obstacle is the nearest path that exists.
writable() {
  obstacle=$1
  until [ -e "$obstacle" ] || [ -L "$obstacle" ] || [ -z "$obstacle" ]; do obstacle=${obstacle%/*}; done
  obstacle=${obstacle:-/}
  [ -d "$obstacle" ] && [ -w "$obstacle" ] && [ -x "$obstacle" ]
}

find_directory() {
  if [ -n "$prefix" ]; then
    case $prefix in /*) ;; *) prefix=$(pwd)/$prefix ;; esac
    bin=${prefix%/}/bin
  elif writable /usr/local/bin; then
    bin=/usr/local/bin
  else
    case ${HOME:-} in /*) ;; *) fail 3 "HOME is not set, and /usr/local/bin is not writable; say where to with --prefix DIR" ;; esac
    bin=${HOME%/}/.local/bin
  fi
  case $bin in *[[:cntrl:]]*) fail 2 "directory $(quote "$bin") has control characters in its name; use another --prefix" ;; esac
  if ! writable "$bin"; then
    why="is not writable for you"
    if ! [ -d "$obstacle" ]; then why="is not a directory"; fi
    fail 3 "cannot install into $(quote "$bin"): $(quote "$obstacle") $why;" \
      "use another --prefix, such as --prefix \"\$HOME/.local\", or run this as a user who may write there"
  fi
  for name in $plugin $shim; do
    if [ -d "$bin/$name" ]; then fail 3 "cannot install into $(quote "$bin"): $(quote "$bin/$name") is a directory; move it away"; fi
  done
}

# wget_to FILE FLAG... URL: wget, which has to be asked what it did: busybox has one that takes any certificate, and none has an option
# that keeps a redirect from leaving https.
wget_to() {
  file=$1 status=0
  shift
  wget -S -t 3 -O "$file" "$@" >"$tmp/log" 2>&1 </dev/null || status=$?
  if grep -q 'certificate validation not implemented' "$tmp/log"; then
    fail 3 "this wget does not check certificates, so that nobody knows whose files it gets; install curl"
  fi
  if [ "$protocols" = '=https' ] && grep -iq '^ *location: *http:' "$tmp/log"; then
    fail 1 "$(quote "$base") redirects to a place without https; nothing was installed"
  fi
  return $status
}

# get URL FILE
get() {
  case $client in
  curl) curl -fsSLg --proto "$protocols" --tlsv1.2 --connect-timeout 30 --speed-time 60 --retry 2 -o "$2" "$1" 2>"$tmp/log" </dev/null ;;
  wget) wget_to "$2" "$1" ;;
  esac
}

# complain: what the last tool said.
complain() { tail -n 5 "$tmp/log" | clean >&2; }

# headers URL: those of URL and of what it redirects to, in $tmp/headers. The end of the way may well be missing on a mirror.
headers() {
  case $client in
  curl) curl -sSILg --proto "$protocols" --tlsv1.2 --connect-timeout 30 "$1" >"$tmp/headers" 2>"$tmp/log" </dev/null || return 0 ;;
  wget)
    wget_to /dev/null --spider "$1" || :
    cat "$tmp/log" >"$tmp/headers"
    ;;
  esac
}

# tag: what stands behind /tag/ in the first redirect that has one.
tag() {
  cr=$(printf '\r')
  while read -r key value _; do
    case $key in [Ll]ocation: | LOCATION:) ;; *) continue ;; esac
    value=${value%"$cr"}
    case $value in */tag/*) printf '%s' "${value#*/tag/}" && return ;; esac
  done <"$tmp/headers"
  return 1
}

find_version() {
  if [ -n "$version" ]; then return 0; fi
  headers "$base/latest"
  if ! version=$(tag); then
    complain
    fail 1 "cannot find the newest release: $(quote "$base/latest") does not redirect to one; name it with --version vX.Y.Z"
  fi
  valid "$version" ||
    fail 1 "cannot find the newest release: $(quote "$base/latest") redirects to $(quote "$version"), which is no version; name one with --version vX.Y.Z"
}

print_plan() {
  for name in $plugin $shim; do
    if [ -e "$bin/$name" ]; then echo "would replace $(quote "$bin/$name")"; else echo "would install $(quote "$bin/$name")"; fi
  done
  echo "would download $(quote "$base/download/$version/$archive") with $client"
  echo "would verify its SHA256 with $sum_tool"
  if [ -n "$cosign" ]; then echo "would verify its signature with $cosign"; else echo "would not verify its signature"; fi
}

# download NAME: a file of the release, into $tmp.
download() {
  get "$base/download/$version/$1" "$tmp/$1" && return 0
  complain
  fail 1 "cannot download $(quote "$base/download/$version/$1"); nothing was installed." \
    "See whether the release is there and has it; behind a proxy, set https_proxy"
}

cosign_verify() {
  cosign verify-blob "$@" --bundle "$tmp/SHA256SUMS.sigstore.json" --certificate-oidc-issuer "$issuer" \
    --certificate-identity "$project/.github/workflows/release.yaml@refs/tags/$version" "$tmp/SHA256SUMS" >"$tmp/log" 2>&1 </dev/null
}

verify_signature() {
  if [ -z "$cosign" ]; then
    if [ -z "$skip_signature" ]; then say "cosign is not on the PATH: the sum is verified, its signature is not"; fi
    return 0
  fi
  get "$base/download/$version/SHA256SUMS.sigstore.json" "$tmp/SHA256SUMS.sigstore.json" || {
    complain
    fail 1 "cannot download the signature of SHA256SUMS of $version, which cosign is to verify; nothing was installed." \
      "A mirror needs SHA256SUMS.sigstore.json as well; --skip-signature does without"
  }
  # cosign 2.4 reads the bundle only with a flag, which newer ones do not need and may drop.
  cosign_verify || cosign_verify --new-bundle-format || {
    complain
    fail 1 "cosign refuses the signature of SHA256SUMS of $version; nothing was installed." \
      "It needs cosign 2.4 or newer that can reach sigstore; if it is, do not trust this download"
  }
  say "cosign: SHA256SUMS of $version is signed by the release workflow"
}

# sum FILE
sum() {
  case $sum_tool in
  sha256sum) sha256sum <"$1" ;;
  shasum) shasum -a 256 <"$1" ;;
  openssl) openssl dgst -sha256 -r <"$1" ;;
  esac
}

verify_sum() {
  want=''
  while read -r digest name || [ -n "$digest" ]; do
    if [ "$name" = "$archive" ] || [ "$name" = "*$archive" ]; then want=$want$digest; fi
  done <"$tmp/SHA256SUMS"
  # Also what two lines for one name would make.
  if [ ${#want} != 64 ]; then fail 1 "SHA256SUMS of $version has no sum for $archive; nothing was installed"; fi
  got=$(sum "$tmp/$archive") || fail 3 "$sum_tool failed; nothing was installed"
  got=${got%% *}
  if [ "$got" != "$want" ]; then
    fail 1 "$archive has the SHA256 $(quote "$got"), but SHA256SUMS of $version says $(quote "$want"); nothing was installed." \
      "The download was cut or exchanged on the way: try again, and do not use it if this stays"
  fi
}

unpack() {
  mkdir "$tmp/unpacked"
  tar -xzf "$tmp/$archive" -C "$tmp/unpacked" >"$tmp/log" 2>&1 || {
    complain
    fail 3 "tar cannot unpack $archive; nothing was installed"
  }
  for name in $plugin $shim; do
    if [ -L "$tmp/unpacked/$name" ] || ! [ -f "$tmp/unpacked/$name" ]; then fail 1 "$archive has no file $name; nothing was installed"; fi
  done
}

# put_in_place: a rename within a directory happens at once or not at all, also while an older copy runs.
put_in_place() {
  {
    mkdir -p "$bin" && new_plugin=$(mktemp "$bin/.$plugin.XXXXXX") && new_shim=$(mktemp "$bin/.$shim.XXXXXX") &&
      cat "$tmp/unpacked/$plugin" >"$new_plugin" && cat "$tmp/unpacked/$shim" >"$new_shim" && chmod 755 "$new_plugin" "$new_shim"
  } || fail 3 "cannot write into $(quote "$bin"), and nothing there was changed; use another --prefix"
  "$new_plugin" version --client >"$tmp/log" 2>&1 </dev/null || {
    complain
    fail 3 "$plugin $version does not run on this machine from $(quote "$bin"), and nothing there was changed"
  }
  { mv -f "$new_plugin" "$bin/$plugin" && mv -f "$new_shim" "$bin/$shim"; } || fail 3 "cannot put the files in place in $(quote "$bin")"
}

# advise: how $bin comes onto the PATH. A PATH that is empty or not set must not get an empty entry, which means the current directory.
advise() {
  in_sh=$(printf '%s' "$bin" | sed 's/[\\"$`]/\\&/g')
  in_fish=$(printf '%s' "$bin" | sed "s/[\\\\']/\\\\&/g")
  say "$(quote "$bin") is not on your PATH, where kubectl looks for plugins. For bash put this line into ~/.bashrc, for zsh into ~/.zshrc:"
  # shellcheck disable=SC2016 # the reader's shell expands PATH
  say "  export PATH=\"$in_sh"'${PATH:+:$PATH}"'
  say "For fish, run once:  fish_add_path '$in_fish'"
}

report() {
  echo "installed $plugin $version as $(quote "$bin/$plugin")"
  case $bin in
  *:*) say "warning: $(quote "$bin") cannot be on a PATH, because of its colon; use another --prefix" ;;
  *) case ":${PATH:-}:" in *:"$bin":* | *:"$bin"/:*) ;; *) advise ;; esac ;;
  esac
  if found=$(command -v $plugin) && [ "$(cd "${found%/*}" 2>/dev/null && pwd -P)" != "$(cd "$bin" && pwd -P)" ]; then
    say "warning: kubectl finds $(quote "$found") first, another copy; remove it, or put $(quote "$bin") before it on the PATH"
  fi
  has kubectl >/dev/null || say "warning: kubectl is not on the PATH; https://kubernetes.io/docs/tasks/tools/ says how to install it"
  say "Now run: kubectl tracebloc --help"
}

main() {
  umask 022
  parse "$@"
  check_flags
  find_platform
  find_tools
  find_directory
  trap leave EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 141' PIPE
  trap 'exit 143' TERM
  tmp=$(mktemp -d "${TMPDIR:-/tmp}/$plugin.XXXXXX") || fail 3 "cannot make a directory in $(quote "${TMPDIR:-/tmp}"); set TMPDIR to one that is writable"
  find_version
  archive=${plugin}_${version}_${os}_${arch}.tar.gz
  if [ -n "$dry_run" ]; then
    print_plan
    return 0
  fi
  say "downloading $plugin $version for $os/$arch"
  download SHA256SUMS
  verify_signature
  download "$archive"
  verify_sum
  unpack
  put_in_place
  report
}

main "$@"
}
