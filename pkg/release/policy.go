package release

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// policyKey is the key of the policy in its ConfigMap, and the name of the
// volume that refers to the ConfigMap is policyVolume.
const (
	policyKey    = "ingestion-authz.yaml"
	policyVolume = "ingestion-authz"
)

// readPolicy reads who may ingest. The ConfigMap is the one that jobs-manager
// mounts: its name follows fullnameOverride, not the release.
func (in *inspection) readPolicy(ctx context.Context) {
	if in.found.api == nil {
		return
	}
	namespace := in.release.Namespace
	name := policyConfigMap(in.found.manager.Spec.Template.Spec)
	if name == "" {
		if beforeEndpoint(in.found.manager) {
			return
		}
		in.fail(StepPolicy, fmt.Errorf("deployment %q in namespace %q mounts no ingestion policy (volume %q) "+
			"(helm upgrade %s tracebloc/client -n %s --reset-then-reuse-values)", in.release.Deployment, namespace, policyVolume, in.release.Name, namespace))
		return
	}
	in.release.AuthzConfigMap = name
	cm, err := in.client.CoreV1().ConfigMaps(namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		doing := fmt.Sprintf("get configmap %q in namespace %q, the ingestion policy", name, namespace)
		if apierrors.IsNotFound(err) {
			err = fmt.Errorf("%w (helm upgrade %s tracebloc/client -n %s --reset-then-reuse-values)", err, in.release.Name, namespace)
		}
		in.fail(StepPolicy, explain(ctx, in.client, doing, namespace, err))
		return
	}
	entries, err := parsePolicy(cm.Data[policyKey])
	if err != nil {
		in.fail(StepPolicy, fmt.Errorf("configmap %q in namespace %q, key %q: %w (kubectl get configmap %s -n %s -o yaml)", name, namespace, policyKey, err, name, namespace))
		return
	}
	in.release.Authz = entries
	in.ok(StepPolicy, fmt.Sprintf("configmap %s: %s", name, describeEntries(entries)))
}

func policyConfigMap(spec corev1.PodSpec) string {
	for _, v := range spec.Volumes {
		if v.Name == policyVolume && v.ConfigMap != nil {
			return v.ConfigMap.Name
		}
	}
	return ""
}

// parsePolicy reads the policy. Fields that we do not know are left alone; a
// known one of the wrong form is an error, because guessing at a permission
// would only move the refusal to after the upload.
func parsePolicy(text string) ([]AuthzEntry, error) {
	if strings.TrimSpace(text) == "" {
		return nil, fmt.Errorf("the policy is empty")
	}
	var policy struct {
		Allowed *[]policyEntry `json:"allowed"`
	}
	if err := yaml.Unmarshal([]byte(text), &policy); err != nil {
		return nil, fmt.Errorf("parse the ingestion policy: %w", err)
	}
	if policy.Allowed == nil {
		return nil, fmt.Errorf("the policy has no list \"allowed\"")
	}
	entries := make([]AuthzEntry, 0, len(*policy.Allowed))
	for _, entry := range *policy.Allowed {
		entries = append(entries, AuthzEntry(entry))
	}
	return entries, nil
}

// policyEntry is an AuthzEntry in the spelling of the policy.
type policyEntry struct {
	ServiceAccount string   `json:"service_account"`
	Namespace      string   `json:"namespace"`
	TablePrefixes  []string `json:"table_prefixes"`
}

// ServiceAccount returns the service account whose token jobs-manager accepts
// for the table: override when the policy allows it, else the first one that
// the policy allows, in its order. An empty table asks for any table. The
// error is a *DeniedError with the policy's entries and the way out.
// It implements contract cluster.md §1.5, 5.
func (r *Release) ServiceAccount(table, override string) (string, error) {
	var usable []string
	for _, entry := range r.Authz {
		if entry.Namespace == r.Namespace && entry.ServiceAccount != "" && entry.covers(table) && !slices.Contains(usable, entry.ServiceAccount) {
			usable = append(usable, entry.ServiceAccount)
		}
	}
	switch {
	case override == "" && len(usable) > 0:
		return usable[0], nil
	case override != "" && slices.Contains(usable, override):
		return override, nil
	}
	return "", &DeniedError{Namespace: r.Namespace, ConfigMap: r.AuthzConfigMap, Entries: r.Authz, Table: table, ServiceAccount: override, Usable: usable}
}

// coversAll reports whether the account may write every table.
func (r *Release) coversAll(account string) bool {
	return slices.ContainsFunc(r.Authz, func(e AuthzEntry) bool {
		return e.Namespace == r.Namespace && e.ServiceAccount == account && slices.Contains(e.TablePrefixes, "*")
	})
}

// covers reports whether the entry allows the table, or any when it is empty.
func (e AuthzEntry) covers(table string) bool {
	return slices.ContainsFunc(e.TablePrefixes, func(prefix string) bool {
		return table == "" || prefix == "*" || strings.HasPrefix(table, prefix)
	})
}
