# clean NAME...: removes work directories whose owner is gone, as the client found out.
task_clean() {
	beats alive
	for name in "$@"; do
		case $name in
		*[!0-9a-z.-]*) refuse argument "$name" ;;
		.trash-?* | .????????????????.push) ;;
		*) refuse argument "$name" ;;
		esac
		text=$(discard "$name" 2>&1) || refuse write "$text"
	done
	rmdir "$dir" 2>/dev/null
	say "CLEANED $nonce"
}
