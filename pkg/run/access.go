package run

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// explain wraps the error of a call to the API server with what we were doing
// and, where the kind of error has one, the next step. namespace "" stands for
// all of them.
func explain(doing, namespace string, err error) error {
	switch {
	case apierrors.IsForbidden(err) && namespace == "":
		return fmt.Errorf("%s: %w (name the namespace of the release with -n)", doing, err)
	case apierrors.IsForbidden(err):
		return fmt.Errorf("%s: %w (kubectl auth can-i --list -n %s; docs/rbac.md has a Role for those who watch runs)", doing, err, namespace)
	case apierrors.IsUnauthorized(err):
		return fmt.Errorf("%s: %w (the cluster did not accept the credentials of this context: log in again, then kubectl auth whoami)", doing, err)
	}
	var status apierrors.APIStatus
	if errors.As(err, &status) || errors.Is(err, context.Canceled) {
		return fmt.Errorf("%s: %w", doing, err)
	}
	// The URL of the request, a line of query parameters, says nothing to a user.
	if request := (*url.Error)(nil); errors.As(err, &request) {
		err = request.Err
	}
	return fmt.Errorf("%s: %w (does this context reach its cluster? kubectl config current-context; kubectl cluster-info)", doing, err)
}

// inNamespace names a namespace in a sentence.
func inNamespace(namespace string) string {
	if namespace == "" {
		return "in all namespaces"
	}
	return fmt.Sprintf("in namespace %q", namespace)
}
