# The local cluster's one node: containerd and kubelet in a PID and mount namespace of their own; sourced.

write_cni() {
  mkdir -p "$STATE/cni"
  cat >"$STATE/cni/10-$CLUSTER.conflist" <<K
{"cniVersion": "0.4.0", "name": "$CLUSTER", "plugins": [
 {"type": "bridge", "bridge": "$BRIDGE", "isGateway": true, "ipMasq": false, "hairpinMode": true,
  "ipam": {"type": "host-local", "dataDir": "$STATE/cni-ipam", "ranges": [[{"subnet": "$PODCIDR"}]],
           "routes": [{"dst": "0.0.0.0/0"}]}}]}
K
}

# make_bridge comes before the first Pod because its address is the node's. The hardware address is set by hand:
# otherwise it follows the ports, and Pods that remember the old one lose the node.
make_bridge() {
  ip link add "$BRIDGE" address 02:7b:10:c0:00:01 type bridge
  ip addr add "$HOSTIP/${PODCIDR#*/}" dev "$BRIDGE"
  ip link set "$BRIDGE" up
}

# Without CAP_SYS_RESOURCE runc cannot lower oom_score_adj, and every sandbox would die: restrict_oom_score_adj.
write_containerd() {
  cat >"$STATE/containerd.toml" <<K
version = 2
root = "$STATE/containerd"
state = "$RUN/containerd"
[grpc]
  address = "$RUN/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/lab/pause:1"
  restrict_oom_score_adj = true
  disable_apparmor = true
  enable_unprivileged_ports = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
        BinaryName = "$(command -v runc)"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$STATE/cni"
K
}

write_kubelet() {
  mkdir -p "$STATE/kubelet" "$STATE/pod-logs" "$STATE/volume-plugins"
  cat >"$STATE/kubelet.yaml" <<K
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
failCgroupV1: false
cgroupDriver: cgroupfs
cgroupRoot: /$CGROOT
failSwapOn: false
containerRuntimeEndpoint: unix://$RUN/containerd.sock
address: $HOSTIP
port: $KUBELETPORT
healthzPort: 0
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $P/ca.crt}}
authorization: {mode: Webhook}
tlsCertFile: $P/kubelet-server.crt
tlsPrivateKeyFile: $P/kubelet-server.key
clusterDomain: cluster.local
resolvConf: /etc/resolv.conf
podLogsDir: $STATE/pod-logs
volumePluginDir: $STATE/volume-plugins
oomScoreAdj: 0
makeIPTablesUtilChains: false
enforceNodeAllocatable: [pods]
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, nodefs.inodesFree: 1%, imagefs.available: 1%}
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
containerLogMaxSize: 100Mi # a kubelet that rotates a log loses lines of whoever follows it
maxPods: 110
registryPullQPS: 0
serializeImagePulls: false
K
}

# make_cgroups: the kubelet wants cgroupRoot to exist. On cgroup v1 that is one directory in every hierarchy, where an
# empty cpuset would refuse every process; on v2 it is one directory, with the controllers handed down to it.
make_cgroups() {
  local dir c
  if [ "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs ]; then
    mkdir -p "/sys/fs/cgroup/$CGROOT"
    for dir in /sys/fs/cgroup "/sys/fs/cgroup/$CGROOT"; do
      for c in cpuset cpu io memory hugetlb pids; do
        echo "+$c" 2>/dev/null >"$dir/cgroup.subtree_control" || :
      done
    done
    for c in cpuset cpu memory pids; do
      grep -qw "$c" "/sys/fs/cgroup/$CGROOT/cgroup.controllers" ||
        die "cgroup controller $c cannot be used here (is this a container?); start Docker (kind is used then), or set KUBECONFIG and E2E_USE_KUBECONFIG=1"
    done
    return 0
  fi
  for dir in /sys/fs/cgroup/*/; do
    case $dir in */unified/) continue ;; esac
    [ ! -L "${dir%/}" ] || continue
    mkdir -p "$dir$CGROOT"
    [ -f "$dir$CGROOT/cpuset.cpus" ] || continue
    cat "${dir}cpuset.cpus" >"$dir$CGROOT/cpuset.cpus"
    cat "${dir}cpuset.mems" >"$dir$CGROOT/cpuset.mems"
  done
}

# node-init is PID 1 of the node: when it ends, the kernel ends the whole node. It ends with the kubelet; a containerd that
# ends is started again, as by any init system.
write_init() {
  cat >"$STATE/node-init.sh" <<K
#!/bin/bash
mount --make-rshared /
mkdir -p /var/lib/cni && mount -t tmpfs tmpfs /var/lib/cni   # libcni's cache of results stays in the node
start_containerd() {
  containerd --config "$STATE/containerd.toml" >>"$LOGS/containerd.log" 2>&1 &
  containerd=\$!
}
start_containerd
until ctr -a "$RUN/containerd.sock" version >/dev/null 2>&1; do
  kill -0 \$containerd 2>/dev/null || exit 1
  sleep 0.05
done
for i in "$IMAGES"/*.tar; do
  ctr -a "$RUN/containerd.sock" -n k8s.io images import --all-platforms "\$i" >>"$LOGS/import.log" 2>&1 || exit 1
done
"$KUBEALL" kubelet --config="$STATE/kubelet.yaml" --kubeconfig="$STATE/kubelet.kubeconfig" --root-dir="$STATE/kubelet" \\
  --cert-dir="$STATE/kubelet/pki" --hostname-override=$NODE --node-ip=$HOSTIP --v=2 >"$LOGS/kubelet.log" 2>&1 &
kubelet=\$!
while wait -n \$containerd \$kubelet; kill -0 \$kubelet 2>/dev/null; do
  sleep 1
  kill -0 \$containerd 2>/dev/null || start_containerd
done
K
}

start_node() {
  mkdir -p "$RUN"
  make_bridge
  make_cgroups
  save_sysctls
  sysctl -qw net.ipv4.ip_forward=1
  write_cni
  write_containerd
  write_kubelet
  write_init
  start node unshare --mount --pid --fork --kill-child --mount-proc bash "$STATE/node-init.sh"
}
