# Everything that the plugin runs in the stage Pod is this text: it lies in the Pod's environment, for the command of an
# exec travels in the URL of the request, which some proxies cut at 8 KiB and every audit log keeps.
#
#   sh -c 'eval "$TRACEBLOC_STAGE"' tracebloc-stage TASK ROOT TABLE TREE OWNER NONCE [more...]
#
# Everything that varies arrives as a positional argument or in a frame on stdin; nothing is ever pasted into this
# text. It runs under busybox ash, dash and bash, with busybox or GNU tools.
#
# Answers are lines on stdout, "<verb> <NONCE> <fields>"; all else on stdout is noise to the client. The shell's own
# stdout is never closed or redirected: containerd drops the rest of stdin when that happens. Exit codes mean nothing.
#
# Of one table, in ROOT/TABLE:
#
#   <tree>/          a published tree: it got its name by one rename, and never changes
#   <tree>.sha256    its sums, sorted; a tree without them is not taken from
#   <tree>.run       the record of the run that reads it
#   .<tree>.push/    the work directory of a tree that is on its way, for all who push it, one after the other:
#     tree/          files that were verified, moved here one by one; never written to in place
#     done/<id>      the receipt of a shard: its sums, of which <id> is the sha256; written when all its files are in tree/
#     done/<id>.<nonce>   of a shard that was cut off: the sums of those files that came whole
#     big/<id>/      a file that arrives in ranges: data, and a receipt "<offset>.<length>.<sha256>" for each
#     lock/          a file "<owner>.<nonce>" for each session that is at work
#     tree-<nonce>   the tree, while it gets its name
#     in-<nonce>-<n> where a session unpacks; nobody else ever looks into it, so a session that was given up for dead
#                    and is not can only bring in, once more, what was verified
#   .trash-<nonce>-<n>  what is being removed

# -f: names are never patterns. No -e: each failure gets its own answer.
set -uf
export LC_ALL=C
umask 022

task=$1 root=$2 table=$3 tree=$4 owner=$5 nonce=$6
shift 6

dir=$root/$table
final=$dir/$tree
record=$dir/$tree.run
sums=$dir/$tree.sha256
work=$dir/.$tree.push
newline='
'

say() {
	printf '%s\n' "$*"
}

# hex makes one bounded word of any text, so that a foreign byte can neither end a line nor reach a terminal.
hex() {
	printf '%s' "$1" | dd bs=1024 count=1 2>/dev/null | od -An -v -tx1 | tr -d ' \n'
}

# refuse STEP TEXT: the one way to say no. What the client still sends is read to the end: over SPDY the last words of
# a command that leaves stdin unread are lost as often as not.
refuse() {
	say "ERR $nonce - $1 $(hex "$2")"
	cat >/dev/null
	exit 1
}

# The client checks the same forms. They are checked again because directories are removed under these names.
case $root in *[!A-Za-z0-9._/@+=:,#-]* | */../* | */./* | *//*) refuse argument "root $root" ;; esac
case $root in /*/.tracebloc-staging) ;; *) refuse argument "root $root" ;; esac
case $table in '' | *[!A-Za-z0-9_]*) refuse argument "table $table" ;; esac
case $tree in *[!0-9a-f]*) refuse argument "tree $tree" ;; esac
case $tree in ????????????????) ;; *) refuse argument "tree $tree" ;; esac
case $owner in '' | *[!0-9a-f-]*) refuse argument "owner $owner" ;; esac
case $nonce in '' | *[!0-9a-f]*) refuse argument "nonce" ;; esac

for tool in base64 cat cut dd find grep gzip kill ln mkdir mv od rm rmdir sed sha256sum sleep sort stat sync tar tr uniq wc xargs; do
	command -v "$tool" >/dev/null || refuse tool "$tool"
done

# A symlink on the way would lead what is written, or removed, out of the volume's own directory.
for place in "$root" "$dir" "$work"; do
	[ ! -L "$place" ] || refuse in-the-way "$place is a symbolic link"
done

# The Pod's own process ends when no session is left for a while, or none of them hears of its client (lifetime.sh).
pulse=$PWD/session.$nonce
alive() {
	printf . >>"$pulse"
} 2>/dev/null
alive

# beats [alive]: tells the client that slow work is still going on. The loop ends with the shell even if that is killed.
beats() {
	while sleep 5 >/dev/null 2>&1 && kill -0 "$$" 2>/dev/null; do
		say "T $nonce"
		[ -z "${1-}" ] || alive
	done </dev/null &
	beater=$!
}

# hush: -9, because bash runs the EXIT trap of the parent in a child that is killed right after the fork.
hush() {
	kill -9 "$beater"
	wait "$beater"
} 2>/dev/null

beater=0
ended() {
	[ "$beater" = 0 ] || hush
	rm -f "$pulse"
} 2>/dev/null
trap ended EXIT
# A shell that is ended by a signal does not get there by itself. Commands have the default again.
trap 'exit 1' HUP PIPE TERM

# first passes on a few lines and then hangs up, so that a tool that complains without end is ended.
first() {
	i=0
	while [ "$i" -lt 8 ] && IFS= read -r line; do
		say "$line"
		i=$((i + 1))
	done
}

# discard NAME: removes one entry of dir. It is renamed first, in one step: whoever is still at work in it can no
# longer publish it, so a tree of which half is deleted never gets a name.
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
