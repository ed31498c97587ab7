# Builds Go programs into the cache, once; sourced.

GO_CACHE_BIN=${XDG_CACHE_HOME:-$HOME/.cache}/kubectl-tracebloc/bin

# go_build OUT WHAT DIR PACKAGE [BUILD FLAGS...]: builds PACKAGE of the module in DIR as OUT unless it is there.
# OUT's name must hold what it was built from. WHAT is told while it takes long. A break leaves no half-written OUT.
go_build() {
  local out=$1 what=$2 dir=$3 package=$4 log beat code=0
  shift 4
  command -v go >/dev/null || { echo "error: go is not on PATH; install Go 1.26 or newer" >&2; return 1; }
  mkdir -p "${out%/*}"
  (
    flock 8
    [ ! -x "$out" ] || exit 0
    log=$(mktemp) part=$out.part
    heartbeat "$what" "$log" &
    beat=$!
    trap 'kill $beat 2>/dev/null; rm -f "$log" "$part"' EXIT
    trap 'exit 130' INT TERM
    go -C "$dir" build -v -buildvcs=false -o "$part" "$@" "$package" >"$log" 2>&1 8>&- || code=$?
    [ $code = 0 ] || { tail -n 20 "$log" >&2; echo "error: $what failed" >&2; exit 1; }
    mv "$part" "$out"
  ) 8>"$out.lock" || return 1
  rm -f "$out.lock"
}

# heartbeat WHAT LOG: a line at once and one every 20 s, with the number of packages that go build -v has named.
heartbeat() {
  local began=$SECONDS
  echo "$1" >&2
  # A read that never gets anything waits without a child: an orphaned sleep would keep the caller's pipes open.
  exec 7<> <(:)
  while ! read -rt 20 -u 7; do
    echo "$1: $((SECONDS - began)) s, $(grep -cv ' ' "$2" || :) packages compiled" >&2
  done
}
