package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	authnv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/yaml"
)

// policyPath is where the chart mounts the policy by subPath, so that a change needs a new Pod.
const policyPath = "/etc/tracebloc/ingestion-authz.yaml"

// policy says which service account may fill which tables, contract/cluster.md §1.5.
type policy struct {
	Allowed []policyEntry `json:"allowed"`
}

type policyEntry struct {
	ServiceAccount string   `json:"service_account"`
	Namespace      string   `json:"namespace"`
	TablePrefixes  []string `json:"table_prefixes"`
}

func readPolicy(path string) (policy, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return policy{}, fmt.Errorf("read the authz policy: %w", err)
	}
	var p policy
	if err := yaml.UnmarshalStrict(data, &p); err != nil {
		return policy{}, fmt.Errorf("read the authz policy: %w", err)
	}
	return p, nil
}

func (p policy) allows(who account, table string) bool {
	return slices.ContainsFunc(p.Allowed, func(e policyEntry) bool {
		return e.ServiceAccount == who.Name && e.Namespace == who.Namespace && slices.ContainsFunc(e.TablePrefixes, func(prefix string) bool {
			return prefix == "*" || prefix != "" && strings.HasPrefix(table, prefix)
		})
	})
}

// account is a service account that the API server vouches for.
type account struct{ Namespace, Name string }

// review asks the API server whose token it is. authenticated is false for a bad token and for anything but a service account.
func review(ctx context.Context, client kubernetes.Interface, token string) (who account, authenticated bool, err error) {
	r, err := client.AuthenticationV1().TokenReviews().Create(ctx, &authnv1.TokenReview{Spec: authnv1.TokenReviewSpec{Token: token}}, metav1.CreateOptions{})
	if err != nil {
		return account{}, false, fmt.Errorf("review the token: %w", err)
	}
	parts := strings.Split(r.Status.User.Username, ":")
	if !r.Status.Authenticated || len(parts) != 4 || parts[0] != "system" || parts[1] != "serviceaccount" {
		return account{}, false, nil
	}
	return account{Namespace: parts[2], Name: parts[3]}, true, nil
}
