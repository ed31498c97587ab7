package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release/fault"
)

const (
	labelRun              = "tracebloc.io/ingestion-run"
	annotationKey         = "standin.tracebloc.io/idempotency-key"
	annotationFingerprint = "standin.tracebloc.io/fingerprint"
	configKey             = "ingest.yaml"
	ingestorUser          = 65534
)

// run is an accepted submission.
type run struct {
	Key, Config, ImageDigest string
	Image, Pull              string
	MemoryLimit              *resource.Quantity // fault
	FaultEnv                 string             // fault.EnvIngestor
}

func (r run) hash() string {
	sum := sha256.Sum256([]byte(r.Key))
	return hex.EncodeToString(sum[:6])
}

// fingerprint tells two submissions with the same key apart.
func (r run) fingerprint() string {
	data, _ := json.Marshal([]string{r.Config, r.ImageDigest}) // strings always marshal
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// label is the key where it is a label value. The real mapping of other keys is not public.
func (r run) label() string {
	if len(validation.IsValidLabelValue(r.Key)) == 0 {
		return r.Key
	}
	return strings.Trim(r.Key[:min(len(r.Key), 63)], "._-")
}

// spawn creates the objects of a run, or finds those of an earlier submission with the same key. The ConfigMap is the record
// of the run, so that it survives a restart. The Job comes last: a Secret without a Job means that the Job was deleted,
// which is how a run is canceled, and a replay does not bring it back. An end of this process between the two looks the same.
func (s *server) spawn(ctx context.Context, r run) (accepted, error) {
	answer := accepted{JobName: "ingest-job-" + r.hash(), Namespace: s.settings.Namespace}
	alias, err := mysqlAddress(ctx, s.client, s.settings)
	if err != nil {
		return accepted{}, err
	}
	maps := s.client.CoreV1().ConfigMaps(s.settings.Namespace)
	_, err = maps.Create(ctx, s.configMap(r), metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		old, err := maps.Get(ctx, "ingest-config-"+r.hash(), metav1.GetOptions{})
		if err != nil {
			return accepted{}, fmt.Errorf("read the run of the key: %w", err)
		}
		if old.Annotations[annotationFingerprint] != r.fingerprint() {
			return accepted{}, refuse(http.StatusConflict, "idempotency_conflict", fmt.Sprintf("idempotency_key %q was used with another ingest_config or image_digest", r.Key))
		}
		answer.Replay = true
	} else if err != nil {
		return accepted{}, fmt.Errorf("create the ConfigMap: %w", err)
	}
	secret, err := s.secret(r)
	if err != nil {
		return accepted{}, err
	}
	_, err = s.client.CoreV1().Secrets(s.settings.Namespace).Create(ctx, secret, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) && answer.Replay {
		return answer, nil
	}
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return accepted{}, fmt.Errorf("create the Secret: %w", err)
	}
	_, err = s.client.BatchV1().Jobs(s.settings.Namespace).Create(ctx, s.job(r, alias), metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return accepted{}, fmt.Errorf("create the Job: %w", err)
	}
	return answer, nil
}

func (s *server) meta(r run, prefix string) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Name:      prefix + r.hash(),
		Namespace: s.settings.Namespace,
		Labels:    map[string]string{labelRun: r.label()},
		Annotations: map[string]string{
			annotationKey:         r.Key,
			annotationFingerprint: r.fingerprint(),
		},
	}
}

func (s *server) configMap(r run) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: s.meta(r, "ingest-config-"), Data: map[string]string{configKey: r.Config}}
}

// secret holds a token that looks like the backend's and is good for nothing.
func (s *server) secret(r run) (*corev1.Secret, error) {
	token := make([]byte, 20)
	if _, err := rand.Read(token); err != nil {
		return nil, err
	}
	return &corev1.Secret{ObjectMeta: s.meta(r, "ingest-token-"), StringData: map[string]string{"BACKEND_TOKEN": hex.EncodeToString(token)}}, nil
}

func (s *server) job(r run, mysqlIP string) *batchv1.Job {
	m := s.meta(r, "ingest-job-")
	return &batchv1.Job{
		ObjectMeta: m,
		Spec: batchv1.JobSpec{
			BackoffLimit: &s.settings.BackoffLimit,
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: m.Labels},
				Spec:       s.pod(r, mysqlIP),
			},
		},
	}
}

// pod is clean for a namespace that enforces the restricted Pod Security Standard.
func (s *server) pod(r run, mysqlIP string) corev1.PodSpec {
	no, yes, user := false, true, int64(ingestorUser)
	security := &corev1.PodSecurityContext{
		RunAsNonRoot:   &yes,
		RunAsUser:      &user,
		RunAsGroup:     &user,
		SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
	}
	if s.settings.HostUID != nil {
		security.RunAsUser = s.settings.HostUID
	}
	if s.settings.HostGID != nil {
		security.RunAsGroup = s.settings.HostGID
	}
	spec := corev1.PodSpec{
		RestartPolicy:                corev1.RestartPolicyOnFailure,
		AutomountServiceAccountToken: &no,
		SecurityContext:              security,
		HostAliases:                  []corev1.HostAlias{{IP: mysqlIP, Hostnames: []string{s.settings.MySQLHost}}},
		Volumes: []corev1.Volume{
			{Name: "shared-volume", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: s.settings.PVC}}},
			{Name: "ingest-config", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "ingest-config-" + r.hash()}}}},
			{Name: "tmp", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
		},
		Containers: []corev1.Container{{
			Name:            "ingestor",
			Image:           r.Image,
			ImagePullPolicy: corev1.PullPolicy(r.Pull),
			Env:             s.env(r),
			Resources:       r.resources(),
			SecurityContext: &corev1.SecurityContext{
				AllowPrivilegeEscalation: &no,
				Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
			},
			VolumeMounts: []corev1.VolumeMount{
				{Name: "shared-volume", MountPath: "/data/shared"},
				{Name: "ingest-config", MountPath: "/etc/tracebloc/ingest", ReadOnly: true},
				{Name: "tmp", MountPath: "/tmp"},
			},
		}},
	}
	if s.settings.PullSecret != "" {
		spec.ImagePullSecrets = []corev1.LocalObjectReference{{Name: s.settings.PullSecret}}
	}
	return spec
}

// resources are none: the real ones are not public.
func (r run) resources() corev1.ResourceRequirements {
	if r.MemoryLimit == nil {
		return corev1.ResourceRequirements{}
	}
	small := corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("16Mi")}
	return corev1.ResourceRequirements{Requests: small, Limits: corev1.ResourceList{corev1.ResourceMemory: *r.MemoryLimit}}
}

func (s *server) env(r run) []corev1.EnvVar {
	env := []corev1.EnvVar{
		{Name: "INGEST_CONFIG", Value: "/etc/tracebloc/ingest/" + configKey},
		{Name: "BACKEND_TOKEN", ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
			LocalObjectReference: corev1.LocalObjectReference{Name: "ingest-token-" + r.hash()}, Key: "BACKEND_TOKEN"}}},
		{Name: "MYSQL_HOST", Value: s.settings.MySQLHost},
		{Name: "CLIENT_ENV", Value: s.settings.ClientEnv},
		{Name: "TRACEBLOC_INGEST_CORRELATION_ID", Value: r.Key},
	}
	if r.FaultEnv != "" {
		env = append(env, corev1.EnvVar{Name: fault.EnvIngestor, Value: r.FaultEnv})
	}
	return env
}
