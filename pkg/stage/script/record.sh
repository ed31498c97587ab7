# record OLD TEXT: stores TEXT as the run record of the tree. OLD is the key of the record that it may replace, or -
# when there must be none. A key is made of characters that JSON does not escape.

# conflict: the record is that of another run.
conflict() {
	rm -f "$fresh"
	refuse conflict "$(dd if="$record" bs=1024 count=1 2>/dev/null)"
}

task_record() {
	old=$1 text=$2
	fresh=$dir/.new-$nonce

	made=$({ mkdir -p "$dir" && printf '%s\n' "$text" >"$fresh"; } 2>&1) || {
		rm -f "$fresh"
		refuse write "$made"
	}
	# ln fails where the name is taken: of two pushes that store at once only one can win.
	if [ "$old" = - ] && ln "$fresh" "$record" 2>/dev/null; then
		rm -f "$fresh"
		say "STORED $nonce"
		return
	fi
	if [ -e "$record" ]; then
		[ "$old" != - ] || conflict
		case $(dd if="$record" bs=1024 count=1 2>/dev/null) in
		*"\"key\":\"$old\""*) ;;
		*) conflict ;;
		esac
	fi
	made=$(mv -f -T "$fresh" "$record" 2>&1) || {
		rm -f "$fresh"
		refuse write "$made"
	}
	say "STORED $nonce"
}
