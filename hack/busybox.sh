#!/usr/bin/env bash
# Makes sure that there is a busybox: the tests of the transfer run the stage Pod's scripts under it. Prints nothing when there is.
set -euo pipefail
! command -v busybox >/dev/null || exit 0
if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
  echo "the tests need busybox on the PATH; install it with your system's package manager (Debian: busybox-static)" >&2
  exit 1
fi
echo "installing Debian package busybox-static" >&2
{ apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends busybox-static; } >/dev/null </dev/null
