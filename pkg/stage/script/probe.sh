# probe FILES BYTES: what the volume has for this plan, one line each, ended by END.
beats
base=${root%/*}
[ -d "$base" ] || refuse base "$base is not a directory"
made=$(mkdir -p "$dir" 2>&1) || refuse write "$made"

# Only trying shows whether the volume can be written, and that this mv can rename without nesting.
trial=$dir/.new-$nonce
made=$({ mkdir "$trial" && mkdir "$trial/a" && mv -T "$trial/a" "$trial/b" && rmdir "$trial/b"; } 2>&1) || {
	rm -rf "$trial"
	refuse write "$made"
}
rmdir "$trial"

say "SPACE $nonce $(hex "$(df -Pk "$base" 2>/dev/null | tail -n 1)")"
say "INODES $nonce $(hex "$(df -Pi "$base" 2>/dev/null | tail -n 1)")"

if published "$1" "$2"; then
	say "TREE $nonce present"
elif [ -e "$final" ] || [ -L "$final" ]; then
	say "TREE $nonce damaged"
else
	say "TREE $nonce absent"
fi

destination=$base/$table
if [ ! -e "$destination" ] && [ ! -L "$destination" ]; then
	say "DEST $nonce absent"
elif [ -d "$destination" ] && [ -r "$destination" ] && [ -z "$(find "$destination" ! -path "$destination" 2>/dev/null | dd bs=1 count=1 2>/dev/null)" ]; then
	say "DEST $nonce empty"
else
	say "DEST $nonce present"
fi

[ ! -f "$record" ] || say "RECORD $nonce $(hex "$(dd if="$record" bs=1024 count=1 2>/dev/null)")"

find "$dir" ! -path "$dir" -prune -name '.*' -type d 2>/dev/null | {
	while read -r found; do
		say "WORK $nonce ${found##*/}"
	done
}
# What a killed session left half-made is an hour old at least before it is taken for that.
find "$dir" ! -path "$dir" -prune -name '.new-*' -mmin +60 -exec rm -rf {} + 2>/dev/null
# Nothing stays behind of a question; another push that needs the directory makes it again.
rmdir "$dir" 2>/dev/null
say "END $nonce"
