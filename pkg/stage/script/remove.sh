# remove KEY: removes the tree, its sums and its record, unless the record is of a run with another key (- for any).
task_remove() {
	if [ "$1" != - ] && [ -e "$record" ]; then
		text=$(dd if="$record" bs=1024 count=1 2>/dev/null)
		case $text in
		*"\"key\":\"$1\""*) ;;
		*) refuse conflict "$text" ;;
		esac
	fi
	beats alive
	# Without its sums a tree is not taken from any more.
	text=$({ rm -f "$sums" && discard "$tree" && rm -f "$record"; } 2>&1) || refuse write "$text"
	[ ! -e "$final" ] || refuse write "$final is still there"
	rmdir "$dir" 2>/dev/null
	say "REMOVED $nonce"
}
