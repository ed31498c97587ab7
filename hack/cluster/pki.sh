# Certificates and kubeconfigs of the local cluster; sourced.

P=$STATE/pki

key() { openssl ecparam -name prime256v1 -genkey -noout -out "$P/$1.key"; }

# certificate NAME SUBJECT USAGE [SUBJECT-ALT-NAMES]
certificate() {
  key "$1"
  openssl req -new -key "$P/$1.key" -subj "$2" -out "$P/$1.csr" 2>/dev/null
  {
    echo "keyUsage=critical,digitalSignature"
    echo "extendedKeyUsage=$3"
    [ -z "${4:-}" ] || echo "subjectAltName=$4"
  } >"$P/$1.ext"
  openssl x509 -req -in "$P/$1.csr" -CA "$P/ca.crt" -CAkey "$P/ca.key" -CAcreateserial -days 365 \
    -extfile "$P/$1.ext" -out "$P/$1.crt" 2>/dev/null
}

# kubeconfig USER FILE: the file holds everything that it needs, and can be copied elsewhere.
kubeconfig() {
  ( umask 077
    cat >"$2" <<K
apiVersion: v1
kind: Config
clusters:
- name: $CLUSTER
  cluster: {server: "https://127.0.0.1:$APIPORT", certificate-authority-data: $(base64 -w0 <"$P/ca.crt")}
users:
- name: $1
  user: {client-certificate-data: $(base64 -w0 <"$P/$1.crt"), client-key-data: $(base64 -w0 <"$P/$1.key")}
contexts:
- name: $CLUSTER
  context: {cluster: $CLUSTER, user: $1}
current-context: $CLUSTER
K
  )
}

make_pki() {
  local service_ip=${SVCCIDR%.*}.1 names user
  mkdir -p "$P"
  chmod 700 "$P"
  key ca
  openssl req -x509 -new -key "$P/ca.key" -subj "/CN=$CLUSTER-ca" -days 365 -out "$P/ca.crt" \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign,digitalSignature 2>/dev/null
  names="DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local"
  certificate apiserver /CN=kube-apiserver serverAuth "$names,IP:127.0.0.1,IP:$HOSTIP,IP:$service_ip"
  certificate apiserver-kubelet /O=system:masters/CN=kube-apiserver-kubelet clientAuth
  certificate kubelet-server "/O=system:nodes/CN=system:node:$NODE" serverAuth "DNS:$NODE,IP:127.0.0.1,IP:$HOSTIP"
  certificate admin /O=system:masters/CN=admin clientAuth
  certificate kcm /CN=system:kube-controller-manager clientAuth
  certificate scheduler /CN=system:kube-scheduler clientAuth
  certificate kubelet "/O=system:nodes/CN=system:node:$NODE" clientAuth
  openssl genrsa -out "$P/sa.key" 2048 2>/dev/null
  openssl rsa -in "$P/sa.key" -pubout -out "$P/sa.pub" 2>/dev/null
  for user in kcm scheduler kubelet; do kubeconfig "$user" "$STATE/$user.kubeconfig"; done
  kubeconfig admin "$STATE/kubeconfig"
}
