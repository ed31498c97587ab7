# inventory LIMIT [one]: what lies in the staging directory, or only in that of the table, one line each:
#
#   CLOCK <nonce> <seconds>                 what this Pod's clock says
#   ITEM <nonce> <table> <name> <type> <uid> <seconds> <files> <bytes> <owners, with commas>|- <run record in hex>|-
#   OTHER <nonce> <table>|- <names in hex>  what is not from this tool, or some of it: paths, each with a NUL behind it
#   CLOSED <nonce> <table> <uid>            a directory that cannot be read
#   MORE <nonce> <table>|-                  there are more than LIMIT
#   LISTED <nonce>
#
# Only names of our own forms are written as they are: no tool can take one for an option, a pattern or two lines. A
# published tree, its sums and its record are one item, of the tree's name.

h4='[0-9a-f][0-9a-f][0-9a-f][0-9a-f]'
h16=$h4$h4$h4$h4

# entries DIRECTORY ACTION [!]: what has a name of our own forms, or what has none.
entries() {
	find "$1" ! -path "$1" -prune ${3-} \( \
		-name "$h16" -o -name "$h16.run" -o -name "$h16.sha256" -o -name ".$h16.push" -o \
		\( -name '.trash-?*' -o -name '.new-?*' \) ! -name '*[!0-9a-z.-]*' \
		\) "$2" 2>/dev/null
}

# some: the first of the paths, in hex. A limit on their bytes is one on their number.
some() {
	dd bs=1500 count=1 iflag=fullblock 2>/dev/null | od -An -v -tx1 | tr -d ' \n'
}

# upto: the names at the end of the paths, each once, and a + where there are more.
upto() {
	sed -e 's,.*/,,' -e "s/^\($h16\)\.run$/\1/" -e "s/^\($h16\)\.sha256$/\1/" | sort -u | sed -n -e "$((limit + 1))s/.*/+/p" -e "1,${limit}p"
}

task_inventory() {
	limit=$1
	is_number "$limit" || refuse argument "limit"
	beats alive
	say "CLOCK $nonce $(stat -c %Y "$pulse")"
	[ ! -d "$root" ] || { [ -r "$root" ] && [ -x "$root" ]; } || refuse write "$root: Permission denied"
	if [ "${2-}" = one ]; then
		[ ! -d "$dir" ] || list "$table"
	elif [ -d "$root" ]; then
		others=$(find "$root" ! -path "$root" -prune \( ! -type d -o -name '*[!A-Za-z0-9_]*' \) -print0 2>/dev/null | some)
		[ -z "$others" ] || say "OTHER $nonce - $others"
		find "$root" ! -path "$root" -prune -type d ! -name '*[!A-Za-z0-9_]*' 2>/dev/null | upto | while read -r name; do
			if [ "$name" = + ]; then say "MORE $nonce -"; else list "$name"; fi
		done
	fi
	say "LISTED $nonce"
}

# list TABLE
list() {
	dir=$root/$1
	[ ! -L "$dir" ] || return 0
	if [ ! -r "$dir" ] || [ ! -x "$dir" ]; then
		say "CLOSED $nonce $1 $(stat -c %u "$dir" 2>/dev/null)"
		return 0
	fi
	others=$(entries "$dir" -print0 ! | some)
	[ -z "$others" ] || say "OTHER $nonce $1 $others"
	entries "$dir" -print | upto | while read -r name; do
		if [ "$name" = + ]; then
			say "MORE $nonce $1"
		else
			examine
			tell "$1"
		fi
	done
}

# examine finds out about one item of dir by its name. A symlink is never followed: its type is l.
examine() {
	path=$dir/$name kind=- text='' users='' kept=
	if [ -L "$path" ]; then kind=l; elif [ -d "$path" ]; then kind=d; elif [ -f "$path" ]; then kind=f; elif [ -e "$path" ]; then kind=o; fi
	case $name in
	.*) ;;
	*)
		[ ! -f "$path.run" ] || [ -L "$path.run" ] || text=$(hex "$(dd if="$path.run" bs=1024 count=1 2>/dev/null)" 2>/dev/null)
		kept="$path.sha256 $path.run"
		;;
	esac
	case $name-$kind in
	.*.push-d)
		users=$(find "$path/lock" ! -type d 2>/dev/null | sed 's,.*/,,' | sed -n \
			-e 's/^\([0-9a-f][0-9a-f-]\{0,63\}\)\.[0-9a-f]\{1,64\}$/\1/p' -e t -e 's/.*/?/p' | sort -u | first | tr '\n' ',')
		;;
	esac
	changed=$(moments 2>/dev/null | sort -n | tail -n 1)
}

# moments: when something of the item was last changed. Of a work directory it shows in those that get each piece.
moments() {
	stat -c %Y "$path" $kept
	case $name-$kind in .*.push-d)
		stat -c %Y "$path/tree" "$path/done"
		find "$path/lock" "$path/big" -exec stat -c %Y {} +
		;;
	esac
}

# tell TABLE: the sizes are counted last, for they may take long. 50,000 files are a sign that something moves.
tell() {
	uid=$(stat -c %u "$path" $kept 2>/dev/null | sed -n 1p)
	head="ITEM $nonce $1 $name $kind ${uid:--} ${changed:--}"
	case $kind in
	d) find "$path" -type f -exec stat -c %s {} + 2>/dev/null ;;
	f) stat -c %s "$path" 2>/dev/null ;;
	esac | {
		n=0 bytes=0
		while read -r each; do
			n=$((n + 1)) bytes=$((bytes + each))
			[ "$((n % 50000))" != 0 ] || say "COUNTED $nonce $n"
		done
		say "$head $n $bytes ${users:--} ${text:--}"
	}
}

# spare STEP TEXT: the item stays.
spare() {
	say "SPARED $nonce $1 $(hex "$2")"
}

# held OWNER...: whose places in the lock of a work directory are not those of the owners.
held() {
	case $name in .*.push) ;; *) return ;; esac
	find "$path/lock" ! -type d 2>/dev/null | sed 's,.*/,,' | while read -r member; do
		gone=
		for known in "$@"; do
			[ "${member%%.*}" != "$known" ] || gone=yes
		done
		[ -n "$gone" ] || say "$member"
	done
}

# purge NAME TYPE SECONDS RECORD [OWNER...]: removes one item of the table, if nothing about it has changed since it was
# listed, and nobody is at work in it but owners that are gone.
task_purge() {
	name=$1 seen="$2 $3 $4"
	shift 4
	case $name in
	*[!0-9a-z.-]*) refuse argument "$name" ;;
	.trash-?* | .new-?* | .????????????????.push) ;;
	????????????????) case $name in *[!0-9a-f]*) refuse argument "$name" ;; esac ;;
	*) refuse argument "$name" ;;
	esac
	beats alive
	examine
	if [ -z "$changed" ]; then
		say "PURGED $nonce absent"
		return
	fi
	if [ "$kind $changed ${text:--}" != "$seen" ]; then
		spare changed "$kind $changed"
		return
	fi
	case $name-$kind in .trash-* | .new-* | .*.push-d | [!.]*-d | [!.]*--) ;; *)
		spare type "$kind"
		return
		;;
	esac
	busy=$(held "$@" | first)
	if [ -n "$busy" ]; then
		spare held "$busy"
		return
	fi
	# Half of it would be gone before a tool said no.
	for place in "$dir" "$path"; do
		if [ -d "$place" ] && [ ! -L "$place" ] && { [ ! -w "$place" ] || [ ! -x "$place" ]; }; then
			spare write "$place belongs to uid $(stat -c %u "$place"): Permission denied"
			return
		fi
	done
	busy=$({ case $name in .*) ;; *) rm -f "$path.sha256" ;; esac && discard "$name" && { [ -z "$kept" ] || rm -f "$path.run"; }; } 2>&1) || {
		spare write "$busy"
		return
	}
	rmdir "$dir" 2>/dev/null
	say "PURGED $nonce removed"
}
