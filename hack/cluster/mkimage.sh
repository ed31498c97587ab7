#!/usr/bin/env bash
# mkimage.sh DIRECTORY NAME CONFIG ARCHIVE: writes an image of one layer, DIRECTORY's content, as a docker-archive.
# CONFIG is the image's "config" object in JSON. The same input gives the same bytes.
set -euo pipefail
[ $# = 4 ] || { echo "usage: mkimage.sh DIRECTORY NAME CONFIG ARCHIVE" >&2; exit 2; }
rootfs=$1 name=$2 config=$3 out=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

archive() { tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner "$@"; }
digest() { sha256sum "$1" | cut -d' ' -f1; }

archive -C "$rootfs" -cf "$work/layer.tar" .
cat >"$work/config.json" <<J
{"created": "1970-01-01T00:00:00Z", "architecture": "$(go env GOARCH)", "os": "linux", "config": $config,
 "rootfs": {"type": "layers", "diff_ids": ["sha256:$(digest "$work/layer.tar")"]},
 "history": [{"created": "1970-01-01T00:00:00Z", "created_by": "mkimage.sh"}]}
J
id=$(digest "$work/config.json")
mv "$work/config.json" "$work/$id.json"
printf '[{"Config": "%s.json", "RepoTags": ["%s"], "Layers": ["layer.tar"]}]' "$id" "$name" >"$work/manifest.json"
archive -C "$work" -cf "$out.part" manifest.json "$id.json" layer.tar
mv "$out.part" "$out"
