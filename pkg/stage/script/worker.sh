# worker lead FILES BYTES | worker join [OWNER...]: takes frames and answers them. The owners are those of Pods that the
# client had before, and that are gone.
#
#   S <id> <groups> raw|gz <bytes> <ways>     a shard: a tar with its "sums" and its files in tree/; <id> is the sha256
#                                             of the sums, <groups> how many of them, in order, share a directory,
#                                             <ways> how many processes a slow volume is to be used with at once
#   N <id> <groups> raw|gz <bytes> <ways> <source>   only sums: the files are linked from a tree that is there, where they
#                                             have the same names
#   L <id> <groups> raw|gz <bytes> <ways>     like S, its files hard links into a tree that is there; relative to dir
#   C <id> <groups> raw|gz <bytes> <ways> <source>   only sums: the files are copied from a tree that is there
#   R <id> <offset> <length> <sha256> raw|gz|zero <bytes>   a range of the big file <id>
#   F <id> <size> <ranges> check|-, then its sums line      all ranges are there: put it into the tree; some of them
#                                             came long ago, so check the whole
#   O <id> <nonce> [<receipt>]                what became of the shard or range that session <nonce> was sent
#   G <source>                                the sums of a tree or work directory; "." is this one, with its ranges
#   P <files> <bytes> <sha256>                publish: the sums of the tree, sorted, have this sha256
#   W, K <owner>                              look at the lock again; remove the places of an owner that is gone
#   X, H, Q                                   throw the work directory away; a sign of life; the end
#
# Each of these lines comes twice, for nothing else protects it. A body follows the line of S, N, L, C and R, and after it a
# line "E <id>". Lengths are exact, and the end is a frame of its own: the end of stdin never means complete. A shard is
# checked and put in place while the next one arrives.
#
#   OK <nonce> <id>[.<offset>]     ERR <nonce> <id>|- <step> <text in hex>     HAVE, GOT, LOCKED, HELD, PUBLISHED

member=''
serial=0
checker=''

next() {
	IFS= read -r head || return 1
	IFS= read -r again || return 1
	[ "$head" = "$again" ] || refuse cut "a frame does not begin as it should"
	parse $head
}

parse() {
	verb=${1-} id=${2-} a=${3-} b=${4-} c=${5-} d=${6-} e=${7-}
}

is_sum() {
	case $1 in *[!0-9a-f]*) return 1 ;; esac
	[ "${#1}" = 64 ]
}

is_number() {
	case $1 in '' | *[!0-9]*) return 1 ;; esac
}

# body BYTES: exactly that much of stdin.
body() {
	dd bs=65536 count="$1" iflag=fullblock,count_bytes 2>/dev/null
}

decoded() {
	if [ "$1" = gz ]; then gzip -dc; else cat; fi
}

sealed() {
	IFS= read -r end && [ "$end" = "E $id" ] && return
	settle
	[ "$verb" != S ] || salvage
	refuse cut "the frame of $id is incomplete"
}

# salvage: of a shard that was cut off, the files that came whole. They get a receipt of their own, beside that of the
# shard.
salvage() (
	[ "$(sha256sum 2>/dev/null <"$in/sums")" = "$id  -" ] && cd "$in/tree" || return
	find . -type f -exec sha256sum {} + | sort - ../sums | uniq -d >../kept
	[ -s ../kept ] && mv -f -T ../kept ../sums || return
	a=$(cut -b67- ../sums | sed 's,/[^/]*$,,' | uniq -c | while read -r n rest; do printf '%s,' "$n"; done)
	place && mv -f -T ../sums "../../done/$id.$nonce"
) >/dev/null 2>&1

# settle waits for the check of what came before: one at a time, so that the answers keep their order.
settle() {
	[ -z "$checker" ] || wait "$checker"
	checker=''
}

# deny STEP TEXT: this shard is of no use; the next one may be.
deny() {
	say "ERR $nonce $id $1 $(hex "$2")"
	rm -rf "$in"
	exit 1
}

# extract DIRECTORY [OPTION]: -o -m --no-same-permissions: no owner, no time, no mode; each would cost one more round trip per
# file on a network file system. What is left of the body is swallowed, so that the next frame is where it should be.
extract() {
	body "$c" | {
		if [ "$b" = gz ]; then
			gzip -dc | tar -x -o -m --no-same-permissions ${2-} -f - -C "$1"
		else
			tar -x -o -m --no-same-permissions ${2-} -f - -C "$1"
		fi
		cat >/dev/null
	} 2>&1 >/dev/null | first
}

# only_sums: the body is no archive.
only_sums() {
	body "$c" | {
		decoded "$b" >"$in/sums"
		cat >/dev/null
	} 2>&1 | first
}

# copy: the files of the sums, from another tree of this table.
copy() {
	only_sums
	(cd "$dir/$e" && spread "$in/sums" "$in/tree" '' cp -f) 2>&1 | first
}

# from_tree: whether e is a tree of this table, or a work directory; then it is where the files are.
from_tree() {
	case $e in '' | . | .. | */* | *[!0-9a-z.]*) refuse frame "$verb" ;; esac
	[ "$e" = "${e#.}" ] || e=$e/tree
}

shard() {
	is_sum "$id" && is_number "$c" && is_number "$d" || refuse frame "$verb"
	case $a in '' | *[!0-9,]*) refuse frame "$verb" ;; esac
	serial=$((serial + 1))
	in=$work/in-$nonce-$serial
	made=$(mkdir "$in" "$in/tree" 2>&1) || refuse write "$made"
	case $verb in
	# Nothing is in the way of a new directory, and not to look for it saves a round trip per file.
	S) report=$(extract "$in" --overwrite) ;;
	L) report=$(extract "$dir") ;;
	C) from_tree && report=$(copy) ;;
	N) from_tree && report=$(only_sums) ;;
	esac
	sealed
	settle
	check </dev/null &
	checker=$!
}

# check runs beside the main loop.
check() {
	[ "$(sha256sum 2>&1 <"$in/sums")" = "$id  -" ] || deny unpack "${report:-the sums of the shard did not arrive whole}"
	cd "$in/tree" || deny lost "$in/tree cannot be entered"
	case $verb in
	N)
		# Nobody else's link can be in the way but of an attempt that broke; the client tries another frame then.
		bad=$(spread ../sums ../../tree "../../../$e/" cp -l 2>&1) || deny link "$bad"
		;;
	L)
		[ -z "$report" ] || deny link "$report"
		bad=$(place 2>&1) || deny write "$bad"
		;;
	*)
		bad=$(hash | first)
		if [ -n "$bad" ]; then
			[ -z "$report" ] || deny unpack "$report"
			deny checksum "$bad"
		fi
		bad=$(place 2>&1) || deny write "$bad"
		;;
	esac
	bad=$(mv -f -T ../sums "../../done/$id" 2>&1) || deny write "$bad"
	say "OK $nonce $id"
	cd / && rm -rf "$in"
}

# hash prints what is wrong with the files; a volume that is slow is asked for several at once.
hash() {
	lines=$(wc -l <../sums)
	step=$(((lines + d - 1) / d))
	from=1
	while [ "$from" -le "$lines" ]; do
		sed -n "${from},$((from + step - 1))p" ../sums | {
			sha256sum -c - 2>&1
			say "status $?"
		} | grep -v -e ': OK$' -e '^status 0$' &
		from=$((from + step))
	done
	wait
}

# place moves the files of the sums from here into the tree. It says nowhere where it is: should somebody have thrown the
# work directory away, that is where the files and their receipt go, too.
place() {
	spread ../sums ../../tree '' mv -f
}

# spread SUMS TARGET FROM COMMAND...: runs the command with all files of the sums, each with FROM before its name, and the
# directory below TARGET that they belong into, a directory at a time: no command for each file.
spread() {
	list=$1 to=$2 before=$3
	shift 3
	from=1
	IFS=,
	for n in $a; do
		path=$(sed -n "${from}{p;q;}" "$list" | cut -b67-)
		mkdir -p "$to/${path%/*}" || return
		sed -n "${from},$((from + n - 1))p" "$list" | cut -b67- | sed "s,^,$before," | tr '\n' '\0' |
			xargs -0 -r -n "$((n / d + 1))" -P "$d" "$@" -t "$to/${path%/*}" || return
		from=$((from + n))
	done
}

range() {
	is_sum "$id" && is_number "$a" && is_number "$b" && is_sum "$c" || refuse frame "$verb"
	codec=${d%%:*} bytes=${d##*:}
	is_number "$bytes" || refuse frame "$verb"
	in=$work/big/$id
	# A receipt must not outlive what it is of.
	made=$({ mkdir -p "$in" && rm -f "$in/$a.$b.$c" && : >>"$in/data"; } 2>&1) || refuse write "$made"
	# dd says how much it copied on stderr; only what it says beside that is an error.
	case $codec in
	raw) report=$(dd bs=65536 count="$bytes" iflag=fullblock,count_bytes of="$in/data" seek="$a" oflag=seek_bytes conv=notrunc 2>&1) || refuse write "$report" ;;
	gz)
		report=$(body "$bytes" | {
			gzip -dc | dd bs=65536 iflag=fullblock of="$in/data" seek="$a" oflag=seek_bytes conv=notrunc || say failed >&2
			cat >/dev/null
		} 2>&1)
		case $report in *failed) refuse write "$report" ;; esac
		;;
	zero) report=$(dd if=/dev/zero bs=1 count=1 of="$in/data" seek="$((a + b - 1))" oflag=seek_bytes conv=notrunc 2>&1) || refuse write "$report" ;;
	*) refuse frame "$verb" ;;
	esac
	sealed
	settle
	check_range </dev/null &
	checker=$!
}

# check_range reads back what was written.
check_range() {
	found=$(dd if="$in/data" bs=65536 skip="$a" count="$b" iflag=fullblock,skip_bytes,count_bytes 2>/dev/null | sha256sum)
	if [ "$found" != "$c  -" ]; then
		say "ERR $nonce $id.$a checksum $(hex "the range at $a differs")"
	elif found=$( (: >"$in/$a.$b.$c") 2>&1); then
		say "OK $nonce $id.$a"
	else
		say "ERR $nonce $id.$a write $(hex "$found")"
	fi
}

# whole puts a big file into the tree; done before, it is done.
whole() {
	IFS= read -r line || refuse cut "the frame of $id is incomplete"
	is_number "$a" && is_number "$b" && [ "$(printf '%s\n' "$line" | sha256sum)" = "$id  -" ] || refuse frame "$verb"
	path=${line#*"  "}
	case $path/ in ./*) ;; *) refuse frame "$verb" ;; esac
	case $path/ in */../*) refuse frame "$verb" ;; esac
	in=$work/big/$id
	settle
	join_ranges </dev/null &
	checker=$!
}

join_ranges() {
	[ -f "$work/done/$id" ] || complete || {
		# Whatever lies there is not this file. Another session may have been faster.
		[ -f "$work/done/$id" ] || {
			rm -rf "$in"
			say "ERR $nonce $id lost $(hex "ranges of a file are missing")"
			return
		}
	}
	[ -f "$work/done/$id" ] || made=$({
		mkdir -p "$work/tree/${path%/*}" && printf '%s\n' "$line" >"$in/sums" &&
			mv -f -T "$in/data" "$work/tree/$path" && mv -f -T "$in/sums" "$work/done/$id"
	} 2>&1) || [ -f "$work/done/$id" ] || {
		say "ERR $nonce $id write $(hex "$made")"
		return
	}
	rm -rf "$in"
	say "OK $nonce $id"
}

# complete: as many receipts as ranges, the right size, and, where a receipt may have outlived the data that it is of,
# the right sum.
complete() {
	[ "$(find "$in" -type f ! -name data ! -name sums 2>/dev/null | wc -l)" -eq "$b" ] && [ "$(stat -c %s "$in/data" 2>/dev/null)" = "$a" ] &&
		{ [ "$c" != check ] || [ "$(sha256sum <"$in/data")" = "${line%% *}  -" ]; }
}

# outcome tells what became of a job whose answer was lost. Its session may still be at work on what had reached it.
outcome() {
	is_sum "$id" || refuse frame "$verb"
	case $a$b in *[!0-9a-f.]*) refuse frame "$verb" ;; esac
	settle
	tries=0
	while [ -e "$work/lock/$owner.$a" ] && [ "$tries" -lt 10 ]; do
		sleep 1
		tries=$((tries + 1))
	done
	if [ -n "$b" ]; then
		[ ! -f "$work/big/$id/$b" ] && [ ! -f "$work/done/$id" ] || say "DONE $nonce $id"
	elif [ -f "$work/done/$id" ]; then
		say "DONE $nonce $id"
	else
		hush
		find "$work/done" -type f -name "$id.*" -exec cat {} + | gzip -c | base64 -w 3000 | sed "s/^/HAVE $nonce /"
		beats
	fi
	say "GOT $nonce"
}

# give: the sums go out compressed. A tree in which a file is newer than its sums was changed by somebody.
give() {
	case $id in
	.) source=$work ;;
	.????????????????.push | ????????????????) source=$dir/$id ;;
	*) refuse frame "$verb" ;;
	esac
	case $id in *[!0-9a-f.push]*) refuse frame "$verb" ;; esac
	settle
	trusted=
	[ "$id" = "${id#.}" ] && [ -d "$source" ] && [ ! -L "$source" ] && [ -f "$source.sha256" ] &&
		[ -z "$(find "$source" -newer "$source.sha256" -type f 2>/dev/null | first)" ] && trusted=yes
	# Another writer on stdout could cut the lines of sed.
	hush
	if [ "$id" = "${id#.}" ]; then
		[ -z "$trusted" ] || cat "$source.sha256"
	else
		find "$source/done" -type f -exec cat {} + 2>/dev/null
		[ "$id" != . ] || (cd "$source" && find big -type f ! -name data)
	fi | gzip -c | base64 -w 3000 | sed "s/^/HAVE $nonce /"
	say "GOT $nonce"
	beats
}

finish() {
	say "PUBLISHED $nonce $tree"
	discard "${work##*/}"
}

# drop STEP TEXT: what is there is not what the client takes it for.
drop() {
	say "ERR $nonce - $1 $(hex "$2")"
}

# publish: the receipts name each file of the manifest and nothing else, and the tree has just as many files and bytes.
# Nothing is unread on stdin meanwhile, so however long it takes, the connection does not look dead.
publish() {
	is_number "$id" && is_number "$a" && is_sum "$b" || refuse frame "$verb"
	settle
	if published "$id" "$a"; then
		finish
		return
	fi
	[ -d "$work" ] || {
		drop lost "$work is gone"
		return
	}
	mine=$work/in-$nonce-sums
	made=$({ find "$work/done" -type f -exec cat {} + | sort -u >"$mine"; } 2>&1)
	[ "$(sha256sum 2>&1 <"$mine")" = "$b  -" ] || {
		drop checksum "${made:-the receipts are not those of the manifest}"
		return
	}
	claim || {
		if published "$id" "$a"; then finish; else drop lost "$work is gone"; fi
		return
	}
	# What the rename makes visible must be on the disk before it. Old tools know sync only without an operand. It comes
	# before the counting: inodes that wait for the disk can fill the memory of the Pod, and then the sizes of files that are
	# there cannot be read. That passes.
	sync -f "$work" 2>/dev/null || sync
	found=$(count "$mine" "$claimed")
	[ "$found" = "$id $a 0" ] || {
		sleep 1
		found=$(count "$mine" "$claimed")
	}
	[ "$found" = "$id $a 0" ] || {
		mv -T "$claimed" "$work/tree" 2>/dev/null
		drop count "$found"
		return
	}
	made=$(appear 2>&1) || published "$id" "$a" || {
		drop write "$made"
		return
	}
	sync -f "$dir" 2>/dev/null
	finish
}

# claim: of all who may be publishing at once, dead ones that do not know it among them, one has the tree: who took it
# last. It may lie where another one was about to publish it.
claim() {
	claimed=$work/tree-$nonce
	find "$work" ! -path "$work" -prune -name 'tree-*' -exec mv -T {} "$claimed" \; 2>/dev/null
	[ -d "$claimed" ] || mv -T "$work/tree" "$claimed" 2>/dev/null
}

# appear gives the tree its name. Only where that is not free it looks at what is there: a tree that is what its name
# says is never touched.
appear() {
	mv -f -T "$mine" "$sums" || return
	mv -T "$claimed" "$final" 2>/dev/null && return
	published "$id" "$a" && return
	[ -d "$claimed" ] || return
	clear_name
	mv -T "$claimed" "$final"
}

# count SUMS DIRECTORY: like size, of the files that are named in the sums; several at once, because each may be a round
# trip. What else there is shows in the last number. 200 sizes are less than a pipe keeps together.
count() {
	(cd "$2" && cut -b67- "$1" | tr '\n' '\0' | xargs -0 -r -n 200 -P 8 stat -c %s 2>/dev/null) | {
		n=0 bytes=0
		while read -r each; do
			n=$((n + 1)) bytes=$((bytes + each))
		done
		say "$n $bytes $(($(find "$2" -type f | wc -l) - n + $(find "$2" ! -type f ! -type d | wc -l)))"
	}
}

# clear_name takes away what has the name of the tree and is not what the name says. Should it have become that in the
# last moment, it is put back.
clear_name() {
	[ -e "$final" ] || [ -L "$final" ] || return 0
	aside=$dir/.trash-$nonce-0
	mv -T "$final" "$aside" 2>/dev/null || return 0
	if [ -d "$aside" ] && [ ! -L "$aside" ] && [ "$(size "$aside")" = "$id $a 0" ] && mv -T "$aside" "$final" 2>/dev/null; then return 0; fi
	rm -rf "$aside"
}

left() {
	settle
	rm -rf "$work/in-$nonce-$serial" "$work/in-$nonce-$((serial - 1))"
	leave
	ended
}

task_worker() {
	beats
	trap left EXIT
	if [ "${1-}" = lead ]; then
		look "$2" "$3"
		[ "$state" = present ] || join "$2" "$3"
	else
		shift
		for gone in "$@"; do
			case $gone in '' | *[!0-9a-f-]*) refuse argument "owner $gone" ;; esac
			find "$work/lock" -type f -name "$gone.*" -exec rm -f {} + 2>/dev/null
		done
		join
	fi
	say "READY $nonce"
	while next; do
		alive
		case $verb in
		S | N | L | C) shard ;;
		R) range ;;
		F) whole ;;
		O) outcome ;;
		G) give ;;
		P)
			# However long the disk takes, it is this side that is at work.
			hush
			beats alive
			publish
			hush
			beats
			;;
		H) [ -z "$member" ] || printf '%s' "$serial$id" >"$member" ;;
		W) if published "$id" "$a"; then say "TREE $nonce present"; else join "$id" "$a"; fi ;;
		K)
			case $id in '' | *[!0-9a-f-]*) refuse frame "$verb" ;; esac
			find "$work/lock" -type f -name "$id.*" -exec rm -f {} + 2>/dev/null
			rmdir "$work/lock" 2>/dev/null
			join
			;;
		X)
			settle
			discard "${work##*/}"
			join
			;;
		Q) break ;;
		*) refuse frame "$verb" ;;
		esac
	done
}
