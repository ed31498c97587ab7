package manifests

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Objects lists everything of the release in the order in which it is applied. Options must be defaulted.
func Objects(o Options) ([]runtime.Object, error) {
	policy, err := o.policy()
	if err != nil {
		return nil, err
	}
	objects := []runtime.Object{
		namespace(o),
		&corev1.ServiceAccount{TypeMeta: kind("v1", "ServiceAccount"), ObjectMeta: o.meta("ingestor")},
		&corev1.ServiceAccount{TypeMeta: kind("v1", "ServiceAccount"), ObjectMeta: o.meta(o.FullName + "-jobs-manager")},
		&corev1.Secret{TypeMeta: kind("v1", "Secret"), ObjectMeta: o.meta(o.FullName + "-secrets"), Type: corev1.SecretTypeOpaque, Data: map[string][]byte{
			"CLIENT_ID": []byte("stand-in"), "CLIENT_PASSWORD": []byte("stand-in"), "POD_TOKEN_SIGNING_SECRET": []byte("stand-in"),
		}},
		&corev1.ConfigMap{TypeMeta: kind("v1", "ConfigMap"), ObjectMeta: o.meta(o.FullName + "-ingestion-authz"), Data: map[string]string{policyKey: policy}},
		&corev1.ConfigMap{TypeMeta: kind("v1", "ConfigMap"), ObjectMeta: o.meta("mysql-client-config"), Data: map[string]string{"mysql.cnf": mysqlConfig}},
		claim(o, "client-pvc", "50Gi", o.AccessMode),
		claim(o, "client-logs-pvc", "10Gi", corev1.ReadWriteOnce),
		claim(o, "mysql-pvc", "2Gi", corev1.ReadWriteOnce),
		clusterRole(o),
		clusterRoleBinding(o),
		service(o, "jobs-manager", "manager", corev1.ServicePort{Name: "http", Port: 8080, TargetPort: intstr.FromInt32(8080), Protocol: corev1.ProtocolTCP}),
		service(o, "mysql-client", "mysql-client", corev1.ServicePort{Port: 3306, TargetPort: intstr.FromInt32(3306), Protocol: corev1.ProtocolTCP}),
		service(o, "requests-proxy-service", "requests-proxy", corev1.ServicePort{Name: "http", Port: 8888, TargetPort: intstr.FromInt32(8888), Protocol: corev1.ProtocolTCP}),
		trainingPolicy(o),
		mysql(o),
		jobsManager(o, policy),
		requestsProxy(o),
	}
	if !o.NoDecoys {
		objects = append(objects, decoys(o)...)
	}
	return objects, nil
}

const (
	policyKey = "ingestion-authz.yaml"

	mysqlConfig = `[mysqld]
max_allowed_packet = 256M
innodb_buffer_pool_size = 64M
innodb_log_file_size = 16M
innodb_log_buffer_size = 8M
innodb_flush_log_at_trx_commit = 2
max_connections = 200
character-set-server = utf8mb4
collation-server = utf8mb4_unicode_ci
`
)

func kind(apiVersion, name string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: apiVersion, Kind: name}
}

func namespace(o Options) *corev1.Namespace {
	ns := &corev1.Namespace{TypeMeta: kind("v1", "Namespace"), ObjectMeta: metav1.ObjectMeta{Name: o.Namespace, Labels: map[string]string{LabelInstalled: "true"}, Annotations: o.Annotations}}
	if o.Restricted {
		for _, mode := range []string{"warn", "audit", "enforce"} {
			ns.Labels["pod-security.kubernetes.io/"+mode] = "restricted"
			ns.Labels["pod-security.kubernetes.io/"+mode+"-version"] = "latest"
		}
	}
	return ns
}

// LabelInstalled marks the namespaces that an install made, and that an uninstall may therefore delete.
const LabelInstalled = "standin.tracebloc.io/installed"

func claim(o Options, name, capacity string, mode corev1.PersistentVolumeAccessMode) *corev1.PersistentVolumeClaim {
	m := o.meta(name)
	m.Annotations = map[string]string{"helm.sh/resource-policy": "keep"}
	return &corev1.PersistentVolumeClaim{TypeMeta: kind("v1", "PersistentVolumeClaim"), ObjectMeta: m, Spec: corev1.PersistentVolumeClaimSpec{
		StorageClassName: &o.StorageClass,
		AccessModes:      []corev1.PersistentVolumeAccessMode{mode},
		Resources:        corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(capacity)}},
	}}
}

func service(o Options, name, app string, ports ...corev1.ServicePort) *corev1.Service {
	return &corev1.Service{TypeMeta: kind("v1", "Service"), ObjectMeta: o.meta(name, "app", app), Spec: corev1.ServiceSpec{
		Type:     corev1.ServiceTypeClusterIP,
		Selector: map[string]string{"app": app},
		Ports:    ports,
	}}
}

// clusterRole is what the chart lets jobs-manager do. Nobody else gets anything: the ingestor account has no rights at all.
func clusterRole(o Options) *rbacv1.ClusterRole {
	rule := func(group string, resources, verbs []string) rbacv1.PolicyRule {
		return rbacv1.PolicyRule{APIGroups: []string{group}, Resources: resources, Verbs: verbs}
	}
	read := []string{"get", "list", "watch"}
	m := o.meta(o.clusterName())
	m.Namespace = ""
	return &rbacv1.ClusterRole{TypeMeta: kind(rbacv1.SchemeGroupVersion.String(), "ClusterRole"), ObjectMeta: m, Rules: []rbacv1.PolicyRule{
		rule("batch", []string{"jobs"}, []string{"get", "list", "watch", "create", "update", "patch", "delete"}),
		rule("", []string{"pods", "pods/log", "events"}, read),
		rule("apps", []string{"deployments", "daemonsets"}, read),
		rule("metrics.k8s.io", []string{"pods"}, []string{"get", "list"}),
		rule("", []string{"nodes"}, []string{"list"}),
		rule("authentication.k8s.io", []string{"tokenreviews"}, []string{"create"}),
		rule("", []string{"configmaps", "secrets"}, []string{"create", "get"}),
	}}
}

func clusterRoleBinding(o Options) *rbacv1.ClusterRoleBinding {
	m := o.meta(o.clusterName())
	m.Namespace = ""
	return &rbacv1.ClusterRoleBinding{
		TypeMeta:   kind(rbacv1.SchemeGroupVersion.String(), "ClusterRoleBinding"),
		ObjectMeta: m,
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: o.FullName + "-jobs-manager", Namespace: o.Namespace}},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: o.clusterName()},
	}
}

// trainingPolicy selects training Pods only: ingestion and stage Pods are as free as without it.
func trainingPolicy(o Options) *networkingv1.NetworkPolicy {
	tcp, udp := corev1.ProtocolTCP, corev1.ProtocolUDP
	port := func(p *corev1.Protocol, n int32) networkingv1.NetworkPolicyPort {
		return networkingv1.NetworkPolicyPort{Protocol: p, Port: ptr(intstr.FromInt32(n))}
	}
	to := func(app string, n int32) networkingv1.NetworkPolicyEgressRule {
		return networkingv1.NetworkPolicyEgressRule{
			To:    []networkingv1.NetworkPolicyPeer{{PodSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": app}}}},
			Ports: []networkingv1.NetworkPolicyPort{port(&tcp, n)},
		}
	}
	dns := networkingv1.NetworkPolicyEgressRule{Ports: []networkingv1.NetworkPolicyPort{port(&udp, 53), port(&tcp, 53)}}
	return &networkingv1.NetworkPolicy{
		TypeMeta:   kind(networkingv1.SchemeGroupVersion.String(), "NetworkPolicy"),
		ObjectMeta: o.meta(o.FullName + "-training-egress"),
		Spec: networkingv1.NetworkPolicySpec{
			PodSelector: metav1.LabelSelector{MatchLabels: map[string]string{"tracebloc.io/workload": "training"}},
			PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress},
			Egress:      []networkingv1.NetworkPolicyEgressRule{dns, to("mysql-client", 3306), to("requests-proxy", 8888)},
		},
	}
}

func deployment(o Options, name, app string, replicas int32, template corev1.PodTemplateSpec, more ...string) *appsv1.Deployment {
	return &appsv1.Deployment{TypeMeta: kind(appsv1.SchemeGroupVersion.String(), "Deployment"), ObjectMeta: o.meta(name, more...), Spec: appsv1.DeploymentSpec{
		Replicas: &replicas,
		Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": app}},
		Strategy: appsv1.DeploymentStrategy{Type: appsv1.RecreateDeploymentStrategyType},
		Template: template,
	}}
}
