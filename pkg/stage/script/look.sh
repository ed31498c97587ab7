# look FILES BYTES: what the volume has for this plan, one line each.

look() {
	base=${root%/*}
	[ -d "$base" ] || refuse base "$base is not a directory"
	made=$(mkdir -p "$dir" 2>&1) || refuse write "$made"

	# Only trying shows whether the volume can be written, and that this mv can do what is asked of it.
	trial=$dir/.new-$nonce
	made=$({ mkdir "$trial" && mkdir "$trial/a" "$trial/c" && mv -T "$trial/a" "$trial/b" && mv -f -t "$trial/c" "$trial/b" && rm -rf "$trial"; } 2>&1) || {
		rm -rf "$trial"
		refuse write "$made"
	}

	say "SPACE $nonce $(hex "$(df -Pk "$base" 2>/dev/null | tail -n 1)")"
	say "INODES $nonce $(hex "$(df -Pi "$base" 2>/dev/null | tail -n 1)")"

	state=absent
	if published "$1" "$2"; then
		state=present
	elif [ -e "$final" ] || [ -L "$final" ]; then
		state=damaged
	fi
	say "TREE $nonce $state"

	destination=$base/$table
	if [ ! -e "$destination" ] && [ ! -L "$destination" ]; then
		say "DEST $nonce absent"
	elif [ -d "$destination" ] && [ -r "$destination" ] && [ -z "$(find "$destination" ! -path "$destination" 2>/dev/null | dd bs=1 count=1 2>/dev/null)" ]; then
		say "DEST $nonce empty"
	else
		say "DEST $nonce present"
	fi

	[ ! -f "$record" ] || say "RECORD $nonce $(hex "$(dd if="$record" bs=1024 count=1 2>/dev/null)")"

	# What unchanged files can be taken from: published trees that have their sums, and other work directories, with
	# those who are at work in them.
	find "$dir" ! -path "$dir" -prune \( -name '*.sha256' -o -name '.*' \) 2>/dev/null | while read -r found; do
		name=${found##*/}
		case $name in
		"$tree.sha256" | ".new-$nonce") ;;
		".$tree.push") [ "$state" != present ] || left_work ;;
		*.sha256) say "OLDER $nonce ${name%.sha256}" ;;
		.*.push) left_work ;;
		.trash-*) say "WORK $nonce $name" ;;
		esac
	done
	# What a killed session left half-made is an hour old at least before it is taken for that.
	find "$dir" ! -path "$dir" -prune -name '.new-*' -mmin +60 -exec rm -rf {} + 2>/dev/null
}

# left_work: a work directory, and who is at work in it.
left_work() {
	say "WORK $nonce $name $(find "$found/lock" -type f 2>/dev/null | sed 's,.*/,,' | first | tr '\n' ' ')"
}

# receipts: whatever was achieved in the work directory.
receipts() {
	find "$work/done" "$work/big" -type f ! -name data ! -name sums 2>/dev/null
}

# join [FILES BYTES]: makes the work directory and a place in its lock. Those who push the same tree from another Pod wait until
# this one is done, or gone; correctness does not hang on it.
join() {
	tries=0
	while :; do
		made=$(mkdir -p "$work/done" "$work/big" "$work/tree" 2>&1) || refuse write "$made"
		alone=
		if mkdir "$work/lock" 2>/dev/null; then
			alone=yes
		else
			held=$(find "$work/lock" -type f ! -name "$owner.*" 2>/dev/null | first)
			if [ -n "$held" ]; then
				held=${held%%"$newline"*}
				say "HELD $nonce ${held##*/} $(hex "$(cat "$held" 2>/dev/null)")"
				return 1
			fi
			# An empty lock is about to be left or entered by somebody.
			if [ -z "$(find "$work/lock" -type f 2>/dev/null | first)" ]; then
				tries=$((tries + 1))
				if [ "$tries" -gt 3 ]; then rmdir "$work/lock" 2>/dev/null; else sleep 1; fi
				continue
			fi
		fi
		(: >"$work/lock/$owner.$nonce") 2>/dev/null && break
		[ -n "$alone" ] || continue
		made=$( (: >"$work/lock/$owner.$nonce") 2>&1) || refuse write "$made"
		break
	done
	# Whoever unpacked here before is gone, or was about to give the tree its name.
	[ -z "$alone" ] || {
		find "$work" ! -path "$work" -prune -name 'in-*' -exec rm -rf {} + 2>/dev/null
		find "$work" ! -path "$work" -prune -name 'tree-*' -exec mv -T {} "$work/tree" \; 2>/dev/null
	}
	member=$work/lock/$owner.$nonce
	own=$(receipts | first)
	# Whoever had the lock may have published since it was looked for.
	if [ -n "$alone" ] && [ -z "$own" ] && [ -n "${2-}" ] && published "$1" "$2"; then say "TREE $nonce present"; fi
	say "LOCKED $nonce ${own:+some}"
	return 0
}

# leave: gives up the place in the lock. The last one takes away a work directory in which nothing was achieved.
leave() {
	[ -n "$member" ] || return 0
	rm -f "$member"
	member=
	rmdir "$work/lock" 2>/dev/null || return 0
	[ -d "$work" ] || return 0
	if [ -z "$(receipts | first)" ]; then
		discard "${work##*/}"
		rmdir "$dir" 2>/dev/null
	fi
}
