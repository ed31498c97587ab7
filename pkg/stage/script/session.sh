# Every session in the stage Pod starts with this text; the part for its task follows it.
#
#   sh -c "<session.sh><task>.sh" tracebloc-stage ROOT TABLE TREE ATTEMPT NONCE [more...]
#
# Everything that varies arrives as a positional argument or in a frame on stdin; nothing is ever pasted into this
# text. It runs under busybox ash, dash and bash, with busybox or GNU tools.
#
# Answers are lines on stdout that carry NONCE; all else on stdout is noise to the client. The shell's own stdout is
# never closed or redirected: containerd drops the rest of stdin when that happens. Exit codes mean nothing.

# -f: names are never patterns. No -e: each failure gets its own answer.
set -uf
export LC_ALL=C
umask 022

root=$1 table=$2 tree=$3 attempt=$4 nonce=$5
shift 5

# dir holds everything of one table; final appears by one rename; work belongs to one attempt alone.
dir=$root/$table
final=$dir/$tree
record=$dir/$tree.run
sums=$dir/$tree.sha256
work=$dir/.$tree.push-$attempt
newline='
'

say() {
	printf '%s\n' "$*"
}

# hex makes one bounded word of any text, so that a foreign byte can neither end a line nor reach a terminal.
hex() {
	printf '%s' "$1" | dd bs=1024 count=1 2>/dev/null | od -An -v -tx1 | tr -d ' \n'
}

# refuse STEP TEXT: the one way to say no.
refuse() {
	say "ERR $nonce $1 $(hex "$2")"
	exit 1
}

# The client checks the same forms. They are checked again because directories are removed under these names.
case $root in *[!A-Za-z0-9._/@+=:,#-]* | */../* | */./* | *//*) refuse argument "root $root" ;; esac
case $root in /*/.tracebloc-staging) ;; *) refuse argument "root $root" ;; esac
case $table in '' | *[!A-Za-z0-9_]*) refuse argument "table $table" ;; esac
case $tree in *[!0-9a-f]*) refuse argument "tree $tree" ;; esac
case $tree in ????????????????) ;; *) refuse argument "tree $tree" ;; esac
case $attempt in '' | *[!0-9a-f-]*) refuse argument "attempt $attempt" ;; esac
case $nonce in '' | *[!0-9a-f]*) refuse argument "nonce" ;; esac

need() {
	for tool in "$@"; do
		command -v "$tool" >/dev/null || refuse tool "$tool"
	done
}
need dd find grep kill ln mkdir mv od rm rmdir sha256sum sleep stat sync tar tr wc

# A symlink on the way would lead what is written, or removed, out of the volume's own directory.
for place in "$root" "$dir"; do
	[ ! -L "$place" ] || refuse in-the-way "$place is a symbolic link"
done

# beats tells the client that slow work is still going on. The loop ends with the shell even if that is killed.
beats() {
	while sleep 5 >/dev/null 2>&1 3>&- && kill -0 "$$" 2>/dev/null; do
		say "T $nonce"
	done &
	beater=$!
	trap 'kill "$beater" 2>/dev/null' EXIT
}

# first passes on a few lines and then hangs up, so that a tool that complains without end is ended.
first() {
	i=0
	while [ "$i" -lt 8 ] && IFS= read -r line; do
		say "$line"
		i=$((i + 1))
	done
}

# discard NAME: removes one entry of dir. It is renamed first, in one step: whoever is still at work in it can no
# longer publish it, so a tree of which half is deleted never gets a name. The client knows the new name, should this
# session end before the removal does.
discarded=0
discard() {
	case $1 in .trash-*) rm -rf "$dir/$1"; return ;; esac
	[ -e "$dir/$1" ] || [ -L "$dir/$1" ] || return 0
	discarded=$((discarded + 1))
	trash=$dir/.trash-$nonce-$discarded
	mv -T "$dir/$1" "$trash" && rm -rf "$trash"
}

# size DIRECTORY: the number of its regular files and their bytes, and how much else there is but directories.
size() {
	find "$1" -type f -exec stat -c %s {} + | {
		n=0 bytes=0
		while read -r each; do
			n=$((n + 1)) bytes=$((bytes + each))
		done
		say "$n $bytes $(($(find "$1" ! -type f ! -type d | wc -l)))"
	}
}

# published FILES BYTES: whether the tree is there and as large as the manifest says. Its content was verified before
# it got its name.
published() {
	[ -d "$final" ] && [ ! -L "$final" ] && [ "$(size "$final")" = "$1 $2 0" ]
}
