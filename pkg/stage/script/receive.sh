# receive: takes a manifest and an archive in frames, and unpacks into the work directory of this attempt.
#
#   client: M <n> <bytes>LF <bytes> E <n>LF    a piece of the manifest ("<sha256>  ./<path>" lines)
#           S <n> <bytes>LF <bytes> E <n>LF    a piece of the archive; n counts on from the last M
#           Q <n>LF                            the end: n frames were sent
#   remote: READY <nonce>, OK <nonce> <n> for each frame, RECEIVED <nonce>
#
# Lengths are exact and the end is a frame of its own: the end of stdin never means complete. Nothing is trusted
# here either; publish checks what lies on the volume.

body() {
	dd bs=65536 count="$size" iflag=fullblock,count_bytes
}

sealed() {
	IFS= read -r end && [ "$end" = "E $n" ]
}

# next reads a frame's header into verb, n and size. read takes single bytes from a pipe, never more than the line.
next() {
	verb='' n='' size=''
	read -r verb n size rest || return 1
	case $n$size$rest in '' | *[!0-9]*) return 1 ;; esac
}

# give_up STEP TEXT: the answer goes first, since removing many files may take minutes.
give_up() {
	say "ERR $nonce $1 $(hex "$2")"
	beats
	discard "${work##*/}"
	exit 1
}

[ "$(printf abc | dd bs=65536 count=2 iflag=fullblock,count_bytes 2>/dev/null)" = ab ] || refuse tool "dd iflag=count_bytes"

# Another push may remove the empty directory of the table between the two steps.
made=$(mkdir -p "$dir" 2>&1 && mkdir -m 0700 "$work" 2>&1) ||
	made=$(mkdir -p "$dir" 2>&1 && mkdir -m 0700 "$work" 2>&1) || refuse write "$made"
made=$({ mkdir -m 0755 "$work/tree" && : >"$work/manifest"; } 2>&1) || give_up write "$made"

# Inside the pipeline below stdout belongs to tar; answers go to the copy.
exec 3>&1
say "READY $nonce"

expected=0
while next && [ "$verb" = M ] && [ "$n" = "$expected" ]; do
	text=$(body 2>&1 >>"$work/manifest") || give_up write "$text"
	sealed || give_up cut "the manifest is incomplete"
	say "OK $nonce $n"
	expected=$((expected + 1))
done

unpack() {
	while [ "$verb" = S ] && [ "$n" = "$expected" ]; do
		body 2>/dev/null && sealed || return
		say "OK $nonce $n" >&3
		expected=$((expected + 1))
		next || return
	done
	[ "$verb" = Q ] && [ "$n" = "$expected" ] && : >"$work/complete"
}

# -o -m --no-same-permissions: no owner, no time, no mode; each would cost one more round trip per file on a network
# file system.
report=$({
	unpack | tar -x -o -m --no-same-permissions -f - -C "$work/tree" 2>&1 >/dev/null
	say "status $?"
} | first)
case $report in
'status 0' | *"$newline"'status 0') ;;
*) give_up unpack "$report" ;;
esac
[ -e "$work/complete" ] || give_up cut "the archive is incomplete"
say "RECEIVED $nonce"
