# The local cluster's control plane; sourced.

start_etcd() {
  local client=http://127.0.0.1:$ETCDPORT peer=http://127.0.0.1:$((ETCDPORT + 1))
  start etcd "$KUBEALL" etcd --name local --data-dir "$STATE/etcd" --unsafe-no-fsync --log-level warn \
    --listen-client-urls "$client" --advertise-client-urls "$client" \
    --listen-peer-urls "$peer" --initial-advertise-peer-urls "$peer" --initial-cluster "local=$peer"
}

# Pods reach the API server at the bridge's address, which the EndpointSlice "kubernetes" in default names.
start_apiserver() {
  start apiserver "$KUBEALL" kube-apiserver --etcd-servers="http://127.0.0.1:$ETCDPORT" \
    --secure-port="$APIPORT" --bind-address=0.0.0.0 --advertise-address="$HOSTIP" \
    --tls-cert-file="$P/apiserver.crt" --tls-private-key-file="$P/apiserver.key" --client-ca-file="$P/ca.crt" \
    --service-account-key-file="$P/sa.pub" --service-account-signing-key-file="$P/sa.key" \
    --service-account-issuer=https://kubernetes.default.svc.cluster.local \
    --service-cluster-ip-range="$SVCCIDR" --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction \
    --kubelet-client-certificate="$P/apiserver-kubelet.crt" --kubelet-client-key="$P/apiserver-kubelet.key" \
    --kubelet-certificate-authority="$P/ca.crt" --kubelet-preferred-address-types=InternalIP \
    --allow-privileged=true --profiling=false --enable-bootstrap-token-auth=false --v=1
}

start_controllers() {
  start kcm "$KUBEALL" kube-controller-manager --kubeconfig="$STATE/kcm.kubeconfig" --leader-elect=false \
    --use-service-account-credentials=true --service-account-private-key-file="$P/sa.key" --root-ca-file="$P/ca.crt" \
    --cluster-signing-cert-file="$P/ca.crt" --cluster-signing-key-file="$P/ca.key" \
    --service-cluster-ip-range="$SVCCIDR" --secure-port=0 --profiling=false --v=1
  start scheduler "$KUBEALL" kube-scheduler --kubeconfig="$STATE/scheduler.kubeconfig" --leader-elect=false \
    --secure-port=0 --v=1
  start provisioner "$KUBEALL" provisioner "$STATE/kubeconfig" "$STATE/pv"
}

# The class has kind's name, provisioner and binding mode, so that manifests fit both.
apply_storage_class() {
  kubectl apply -f - >/dev/null <<K
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: standard, annotations: {storageclass.kubernetes.io/is-default-class: "true"}}
provisioner: rancher.io/local-path
reclaimPolicy: Delete
volumeBindingMode: WaitForFirstConsumer
K
}
