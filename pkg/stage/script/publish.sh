# publish FILES BYTES SHA256: verifies what the attempt received against its manifest (of which SHA256 is the sum),
# and gives it its name by one rename. Asking again gives the same answer. It reads nothing from stdin, so however
# long it takes, no unread input makes the connection look dead.

# drop STEP TEXT: what failed the check is of no use to anybody.
drop() {
	say "ERR $nonce $1 $(hex "$2")"
	discard "${work##*/}"
	exit 1
}

finish() {
	say "PUBLISHED $nonce $tree"
	discard "${work##*/}"
	exit 0
}

beats
[ -d "$work/tree" ] && [ ! -L "$work" ] && [ ! -L "$work/tree" ] || {
	published "$1" "$2" && finish
	refuse lost "$work is gone"
}

[ "$(sha256sum <"$work/manifest")" = "$3  -" ] || drop checksum "the manifest differs from the one that was sent"
found=$(size "$work/tree")
[ "$found" = "$1 $2 0" ] || drop count "$found"

cd "$work/tree" || drop lost "$work/tree cannot be entered"
if [ "$1" -gt 0 ]; then
	report=$({
		sha256sum -c "$work/manifest" 2>&1
		say "status $?"
	} | grep -v ': OK$' | first)
	[ "$report" = 'status 0' ] || drop checksum "$report"
fi
cd / || drop lost "/ cannot be entered"

# What the rename makes visible must be on the disk before it. Old tools know sync only without an operand.
sync -f "$work" 2>/dev/null || sync

published "$1" "$2" && finish
# Only what is not what its name says gets here: no run can have been given it.
discard "$tree"
made=$({ mv -f -T "$work/manifest" "$sums" && mv -T "$work/tree" "$final"; } 2>&1) || {
	# Another push of the same data was faster.
	published "$1" "$2" && finish
	drop write "$made"
}
sync -f "$dir" 2>/dev/null
finish
