#!/usr/bin/env bash
# Makes the image archives that every local node starts with, once: the Pods' sandbox, and Debian's busybox under the name
# that a client release pulls (docker.io/library/busybox:1.35; Debian 12's busybox is 1.35).
set -euo pipefail
cd "$(dirname "$0")"
. ./env.sh
. ./packages.sh
install_packages
mkdir -p "$IMAGES"
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

pause() {
  CGO_ENABLED=0 go -C kubeall build -buildvcs=false -ldflags '-s -w' -o "$root/pause" ./cmd/pause
  ./mkimage.sh "$root" localhost/lab/pause:1 '{"Entrypoint": ["/pause"], "User": "65535:65535"}' "$IMAGES/pause.tar"
}

busybox() {
  local applet
  mkdir -p "$root"/{bin,etc,proc,sys,dev,root,home,var/log,usr,data}
  mkdir -m 1777 "$root/tmp"
  cp /bin/busybox "$root/bin/busybox"
  for applet in $(/bin/busybox --list); do
    [ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
  done
  ln -s ../bin "$root/usr/bin"
  ln -s bin "$root/sbin"
  printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' >"$root/etc/passwd"
  printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"
  echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
  ./mkimage.sh "$root" docker.io/library/busybox:1.35 '{"Env": ["PATH=/usr/bin:/bin:/sbin"], "Cmd": ["sh"]}' "$IMAGES/busybox.tar"
}

chmod 755 "$root"
case ${1:-all} in
all)
  for i in pause busybox; do
    [ -s "$IMAGES/$i.tar" ] || { say "making image archive $i.tar"; "$0" "$i"; }
  done
  ;;
pause | busybox) "$1" ;;
*) die "usage: images.sh [pause|busybox]" ;;
esac
