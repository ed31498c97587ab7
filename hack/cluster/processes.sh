# The local cluster's processes: start, look, stop; sourced.

# ours PID: whether PID is alive and one of ours. A recorded number says little after a crash or a restart of the machine,
# so the command line must name the cache; and a zombie answers kill -0 as if it lived, so its state is read.
ours() {
  tr '\0' ' ' 2>/dev/null <"/proc/$1/cmdline" | grep -qF "$CACHE/" && ! grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null
}

alive() { [ -s "$STATE/pids/$1" ] && ours "$(cat "$STATE/pids/$1")"; }

# start NAME COMMAND...: in a session of its own, with a plain environment: a proxy variable would reach the API server's dials.
start() {
  local name=$1
  shift
  setsid env -i HOME="$HOME" PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    "$@" >"$LOGS/$name.log" 2>&1 </dev/null 9>&- &
  echo $! >"$STATE/pids/$name"
  # Until its exec the new process has this script's command line, and would be taken for a stranger's.
  while cmp -s "/proc/$!/cmdline" "/proc/$$/cmdline"; do sleep 0.01; done
}

# running NAME COMMAND...: COMMAND, unless NAME has died, which ends the script with the end of its log.
running() {
  alive "$1" || { tail -n 5 "$LOGS/$1.log" >&2; die "$1 ended; its log is $LOGS/$1.log"; }
  shift
  "$@"
}

stop() {
  local file=$STATE/pids/$1 pid
  [ -s "$file" ] || return 0
  pid=$(cat "$file")
  if ours "$pid"; then
    kill -KILL "$pid" 2>/dev/null || :
    for _ in $(seq 100); do ours "$pid" || break; sleep 0.05; done
  fi
  rm -f "$file"
}

# stop_all ends everything that start_node and start_control_plane began. Nothing in the cluster outlives it, so nothing
# needs to shut down in order: SIGKILL on the node's unshare takes containerd, its shims and every Pod along.
stop_all() {
  local name
  for name in node provisioner scheduler kcm apiserver etcd; do stop "$name"; done
  ip link del "$BRIDGE" 2>/dev/null || :
  remove_cgroups
  restore_sysctls
  rm -rf "$RUN"
}

remove_cgroups() {
  local root left
  for _ in $(seq 50); do
    left=0
    for root in /sys/fs/cgroup/"$CGROOT" /sys/fs/cgroup/*/"$CGROOT"; do
      [ -d "$root" ] || continue
      find "$root" -depth -type d -exec rmdir {} + 2>/dev/null || :
      [ ! -d "$root" ] || left=1
    done
    [ $left = 1 ] || return 0
    sleep 0.1
  done
  say "warning: cgroup $CGROOT still has processes"
}

# The kubelet and the bridge plugin change these; a record made before a restart of the machine must not be put back.
save_sysctls() {
  local k
  cat /proc/sys/kernel/random/boot_id >"$STATE/boot_id"
  for k in vm.overcommit_memory vm.panic_on_oom kernel.panic kernel.panic_on_oops \
    kernel.keys.root_maxkeys kernel.keys.root_maxbytes net.ipv4.ip_forward; do
    echo "$k=$(sysctl -n "$k")"
  done >"$STATE/sysctl.before"
}

restore_sysctls() {
  [ -f "$STATE/sysctl.before" ] || return 0
  if [ "$(</proc/sys/kernel/random/boot_id)" = "$(cat "$STATE/boot_id")" ]; then
    sysctl -qp "$STATE/sysctl.before" 2>/dev/null || :
  fi
  rm -f "$STATE/sysctl.before"
}
