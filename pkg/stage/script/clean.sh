# clean NAME[:OWNER...]...: removes work directories whose owners are gone, as the client found out: those that it names.
# One in which somebody else is at work by now stays; what is on its way to removal is of use to nobody, whoever had it.
task_clean() {
	beats alive
	for entry in "$@"; do
		name=${entry%%:*}
		gone=${entry#"$name"}:
		case $name in
		*[!0-9a-z.-]*) refuse argument "$name" ;;
		.trash-?* | .????????????????.push) ;;
		*) refuse argument "$name" ;;
		esac
		busy=
		[ "$name" != "${name#.trash}" ] || busy=$(find "$dir/$name/lock" -type f 2>/dev/null | while read -r member; do
			member=${member##*/}
			case $gone in *:"${member%%.*}":*) ;; *) say "$member" ;; esac
		done)
		[ -z "$busy" ] || continue
		text=$(discard "$name" 2>&1) || refuse write "$text"
	done
	rmdir "$dir" 2>/dev/null
	say "CLEANED $nonce"
}
