package manifests

import (
	"fmt"
	"net"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release/fault"
)

// Credentials and name of the release's database, contract/ingestor.md §3.1.
const (
	DatabaseUser     = "edgeuser"
	DatabasePassword = "Edg9@Tr@ce"
	DatabaseName     = "training_test_datasets"
)

func jobsManager(o Options, policy string) *appsv1.Deployment {
	replicas := int32(1)
	if o.Replicas != nil {
		replicas = *o.Replicas
	}
	api := corev1.Container{
		Name:            "api",
		Image:           o.Images.JobsManager,
		ImagePullPolicy: corev1.PullIfNotPresent,
		SecurityContext: closed(),
		Resources:       small("128Mi"),
		Ports: []corev1.ContainerPort{
			{Name: "http", ContainerPort: 8080, Protocol: corev1.ProtocolTCP},
			{Name: "faults", ContainerPort: fault.Port, Protocol: corev1.ProtocolTCP},
		},
		VolumeMounts: []corev1.VolumeMount{
			{Name: "shared-volume", MountPath: "/data/shared"},
			{Name: "logs-volume", MountPath: "/data/logs"},
			{Name: "ingestion-authz", MountPath: "/etc/tracebloc/" + policyKey, SubPath: policyKey, ReadOnly: true},
		},
		Env: apiEnv(o),
	}
	if !o.HTTPDisabled {
		api.ReadinessProbe = &corev1.Probe{
			ProbeHandler:  corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(8080)}},
			PeriodSeconds: 2, TimeoutSeconds: 3, FailureThreshold: 3,
		}
	}
	monitor := corev1.Container{
		Name:            "pods-monitor-container",
		Image:           o.Images.PodsMonitor,
		ImagePullPolicy: corev1.PullIfNotPresent,
		SecurityContext: closed(),
		Resources:       small("64Mi"),
		VolumeMounts:    []corev1.VolumeMount{{Name: "logs-volume", MountPath: "/data/logs"}},
		Env:             []corev1.EnvVar{secretEnv(o, "CLIENT_ID"), secretEnv(o, "CLIENT_PASSWORD"), {Name: "CLIENT_LOGS_PVC", Value: "client-logs-pvc"}, {Name: "CLIENT_ENV", Value: "local"}},
	}
	return deployment(o, o.DeploymentName(), "manager", replicas, corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "manager"}, Annotations: o.rollout(policy)},
		Spec: corev1.PodSpec{
			ServiceAccountName:            o.FullName + "-jobs-manager",
			TerminationGracePeriodSeconds: ptr(int64(5)),
			SecurityContext:               &corev1.PodSecurityContext{RunAsNonRoot: ptr(true), SeccompProfile: runtimeDefault()},
			ImagePullSecrets:              pullSecrets(o),
			Tolerations:                   o.Tolerations,
			NodeSelector:                  o.NodeSelector,
			Containers:                    []corev1.Container{api, monitor},
			Volumes: []corev1.Volume{
				claimVolume("shared-volume", "client-pvc"),
				claimVolume("logs-volume", "client-logs-pvc"),
				{Name: "ingestion-authz", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: o.FullName + "-ingestion-authz"}}}},
			},
		},
	})
}

func apiEnv(o Options) []corev1.EnvVar {
	digest := o.Images.IngestorDigest
	if o.IngestorDigest != "" {
		digest = o.IngestorDigest
	}
	if o.IngestorByTag {
		digest = ""
	}
	env := []corev1.EnvVar{secretEnv(o, "CLIENT_ID"), secretEnv(o, "CLIENT_PASSWORD"), secretEnv(o, "POD_TOKEN_SIGNING_SECRET")}
	for _, e := range [][2]string{
		{"CLIENT_PVC", "client-pvc"}, {"CLIENT_LOGS_PVC", "client-logs-pvc"}, {"MYSQL_HOST", "mysql-client"},
		{"INGESTOR_IMAGE_REPOSITORY", o.Images.IngestorRepository}, {"INGESTOR_IMAGE_TAG", o.Images.IngestorTag}, {"INGESTOR_IMAGE_DIGEST", digest},
		{"REQUESTS_PROXY_URL", "http://requests-proxy-service:8888"}, {"JOB_IMAGE_HOST", "docker.io/"}, {"CLIENT_ENV", "local"},
		{"STANDIN_PULL_POLICY", "IfNotPresent"}, {"STANDIN_BACKOFF_LIMIT", fmt.Sprint(*o.BackoffLimit)},
	} {
		env = append(env, corev1.EnvVar{Name: e[0], Value: e[1]})
	}
	env = append(env, corev1.EnvVar{Name: "POD_NAMESPACE", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: "metadata.namespace"}}})
	if o.HTTPDisabled {
		env = append(env, corev1.EnvVar{Name: "INGESTION_HTTP_DISABLED", Value: "true"})
	}
	if o.HostUID != nil {
		env = append(env, corev1.EnvVar{Name: "HOST_UID", Value: fmt.Sprint(*o.HostUID)})
	}
	if o.HostGID != nil {
		env = append(env, corev1.EnvVar{Name: "HOST_GID", Value: fmt.Sprint(*o.HostGID)})
	}
	if host, port, err := net.SplitHostPort(o.APIServer); err == nil {
		env = append(env, corev1.EnvVar{Name: "KUBERNETES_SERVICE_HOST", Value: host}, corev1.EnvVar{Name: "KUBERNETES_SERVICE_PORT", Value: port})
	}
	return env
}

func mysql(o Options) *appsv1.Deployment {
	probe := func(period, failures int32) *corev1.Probe {
		return &corev1.Probe{
			ProbeHandler:  corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"mysqladmin", "ping", "-h", "127.0.0.1"}}},
			PeriodSeconds: period, TimeoutSeconds: 5, FailureThreshold: failures,
		}
	}
	user := &corev1.SecurityContext{
		RunAsNonRoot: ptr(true), RunAsUser: ptr(int64(999)), RunAsGroup: ptr(int64(999)),
		AllowPrivilegeEscalation: ptr(false), ReadOnlyRootFilesystem: ptr(true),
		Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}}, SeccompProfile: runtimeDefault(),
	}
	data := corev1.VolumeMount{Name: "mysql-persistent-storage", MountPath: "/var/lib/mysql/"}
	guarded := data
	guarded.ReadOnly = true
	scratch := func(name string) corev1.Volume {
		return corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}
	}
	template := corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "mysql-client"}, Annotations: o.rollout(mysqlConfig)},
		Spec: corev1.PodSpec{
			AutomountServiceAccountToken:  ptr(false),
			TerminationGracePeriodSeconds: ptr(int64(20)),
			SecurityContext:               &corev1.PodSecurityContext{FSGroup: ptr(int64(999)), FSGroupChangePolicy: ptr(corev1.FSGroupChangeOnRootMismatch)},
			ImagePullSecrets:              pullSecrets(o),
			InitContainers: []corev1.Container{{
				Name: "mysql-format-guard", Image: o.Images.Busybox, ImagePullPolicy: corev1.PullIfNotPresent,
				Command: []string{"sh", "-c", "exit 0"}, SecurityContext: user, VolumeMounts: []corev1.VolumeMount{guarded}, Resources: small("32Mi"),
			}},
			Containers: []corev1.Container{{
				Name: "mysql-client", Image: o.Images.MySQL, ImagePullPolicy: corev1.PullIfNotPresent, SecurityContext: user, Resources: small("512Mi"),
				Env:            []corev1.EnvVar{{Name: "MARIADB_DATABASE", Value: DatabaseName}, {Name: "MARIADB_USER", Value: DatabaseUser}, {Name: "MARIADB_PASSWORD", Value: DatabasePassword}},
				Ports:          []corev1.ContainerPort{{Name: "mysql-client", ContainerPort: 3306, Protocol: corev1.ProtocolTCP}},
				StartupProbe:   probe(1, 120),
				ReadinessProbe: probe(5, 3),
				VolumeMounts: []corev1.VolumeMount{data, {Name: "mysql-config", MountPath: "/etc/mysql/conf.d/"}, {Name: "mysql-logs", MountPath: "/var/log/mysql/"},
					{Name: "mysql-run", MountPath: "/var/run/mysqld"}, {Name: "mysql-tmp", MountPath: "/tmp"}},
			}},
			Volumes: []corev1.Volume{
				claimVolume("mysql-persistent-storage", "mysql-pvc"),
				{Name: "mysql-config", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "mysql-client-config"}}}},
				scratch("mysql-logs"), scratch("mysql-run"), scratch("mysql-tmp"),
			},
		},
	}
	return deployment(o, "mysql-client", "mysql-client", 1, template, "app", "mysql-client")
}

// requestsProxy runs the same image as jobs-manager, which makes it a decoy as well.
func requestsProxy(o Options) *appsv1.Deployment {
	return deployment(o, o.FullName+"-requests-proxy", "requests-proxy", 1, corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app": "requests-proxy"}, Annotations: o.rollout()},
		Spec:       idlePod(o, "proxy", 8888),
	})
}

// idlePod is a Pod without a part in ingestion. It listens on port when that is not zero.
func idlePod(o Options, container string, port int32) corev1.PodSpec {
	c := corev1.Container{
		Name: container, Image: o.Images.JobsManager, ImagePullPolicy: corev1.PullIfNotPresent, Command: []string{"/jobs-manager", "idle"},
		SecurityContext: closed(), Resources: small("64Mi"),
	}
	if port != 0 {
		c.Env = []corev1.EnvVar{{Name: "STANDIN_LISTEN", Value: fmt.Sprintf(":%d", port)}}
		c.Ports = []corev1.ContainerPort{{ContainerPort: port, Protocol: corev1.ProtocolTCP}}
	}
	return corev1.PodSpec{
		AutomountServiceAccountToken: ptr(false), TerminationGracePeriodSeconds: ptr(int64(2)),
		SecurityContext:  &corev1.PodSecurityContext{RunAsNonRoot: ptr(true), RunAsUser: ptr(int64(1001)), SeccompProfile: runtimeDefault()},
		ImagePullSecrets: pullSecrets(o), Containers: []corev1.Container{c},
	}
}

func closed() *corev1.SecurityContext {
	return &corev1.SecurityContext{AllowPrivilegeEscalation: ptr(false), Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}}}
}

func runtimeDefault() *corev1.SeccompProfile {
	return &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}
}

// small are the chart's kinds of requests and limits, cut down for a laptop. memory is the limit.
func small(memory string) corev1.ResourceRequirements {
	return corev1.ResourceRequirements{
		Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("5m"), corev1.ResourceMemory: resource.MustParse("16Mi")},
		Limits:   corev1.ResourceList{corev1.ResourceMemory: resource.MustParse(memory)},
	}
}

func secretEnv(o Options, key string) corev1.EnvVar {
	return corev1.EnvVar{Name: key, ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: o.FullName + "-secrets"}, Key: key}}}
}

func claimVolume(name, claim string) corev1.Volume {
	return corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claim}}}
}

func pullSecrets(o Options) []corev1.LocalObjectReference {
	var refs []corev1.LocalObjectReference
	for _, name := range o.PullSecrets {
		refs = append(refs, corev1.LocalObjectReference{Name: name})
	}
	return refs
}
