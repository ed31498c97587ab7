package release

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/kubernetes"
)

// Ref names a release.
type Ref struct {
	Namespace string
	Name      string
}

// NotFoundError says that the namespace has no such release.
type NotFoundError struct {
	// Namespace was searched, for Name or for any release when Name is empty.
	Namespace, Name string
	// Here lists the releases of the namespace that have another name.
	Here []string
	// Elsewhere lists releases of other namespaces; it is empty when
	// ElsewhereUnknown is set, because the user may not list them.
	Elsewhere        []Ref
	ElsewhereUnknown bool
}

// maxListed bounds how many names an error message lists.
const maxListed = 10

func (e *NotFoundError) Error() string {
	var b strings.Builder
	if e.Name != "" {
		fmt.Fprintf(&b, "no tracebloc client release %q in namespace %q", e.Name, e.Namespace)
	} else {
		fmt.Fprintf(&b, "no tracebloc client release in namespace %q", e.Namespace)
	}
	switch {
	case len(e.Here) > 0:
		fmt.Fprintf(&b, "; the namespace has %s (pick one with --release)", list(quoted(e.Here)))
	case len(e.Elsewhere) > 0:
		places := make([]string, 0, len(e.Elsewhere))
		for _, ref := range e.Elsewhere {
			places = append(places, fmt.Sprintf("%q in -n %s", ref.Name, ref.Namespace))
		}
		fmt.Fprintf(&b, "; this cluster has %s", list(places))
	case e.ElsewhereUnknown:
		b.WriteString("; other namespaces could not be searched, since listing Deployments of the whole cluster is not allowed" +
			" (name the namespace of the release with -n)")
	default:
		b.WriteString(", nor in any other namespace of this cluster" +
			" (check the context with kubectl config current-context, or install the client)")
	}
	return b.String()
}

// SeveralError says that the namespace has more than one release, or one
// release with more than one jobs-manager.
type SeveralError struct {
	Namespace string
	// Names are releases; when they are all the same, Deployments tells them apart.
	Names       []string
	Deployments []string
}

func (e *SeveralError) Error() string {
	if len(e.Names) == 1 {
		return fmt.Sprintf("release %q in namespace %q has several jobs-manager Deployments: %s (delete the one that the chart no longer renders)",
			e.Names[0], e.Namespace, list(quoted(e.Deployments)))
	}
	return fmt.Sprintf("namespace %q has several tracebloc client releases: %s (pick one with --release)",
		e.Namespace, list(quoted(e.Names)))
}

// TooOldError says that the release has no ingestion endpoint yet.
type TooOldError struct {
	Namespace, Name string
	// Chart is the chart with its version, "client-1.2.0" or "eks-1.0.4".
	Chart string
	// Legacy marks the charts that the client chart replaced: they cannot be
	// upgraded in place.
	Legacy bool
}

func (e *TooOldError) Error() string {
	if e.Legacy {
		return fmt.Sprintf("release %q in namespace %q is of chart %q, which has no ingestion endpoint; "+
			"the chart \"client\" replaced it (install tracebloc/client %s or later in its place)", e.Name, e.Namespace, e.Chart, minChart)
	}
	return fmt.Sprintf("release %q in namespace %q is of chart %q, which has no ingestion endpoint; it came with %s "+
		"(helm repo update && helm upgrade %s tracebloc/client -n %s --reset-then-reuse-values)",
		e.Name, e.Namespace, e.Chart, minChart, e.Name, e.Namespace)
}

// DeniedError says that the ingestion policy of the release lets nobody, or not
// the named service account, write the table.
type DeniedError struct {
	Namespace string
	// ConfigMap and Entries are the policy.
	ConfigMap string
	Entries   []AuthzEntry
	// Table is empty when any table would do. ServiceAccount is empty when any
	// account would do.
	Table, ServiceAccount string
	// Usable are the accounts that the policy would accept for Table.
	Usable []string
}

func (e *DeniedError) Error() string {
	var b strings.Builder
	b.WriteString("the ingestion policy of the release lets ")
	if e.ServiceAccount != "" {
		fmt.Fprintf(&b, "service account %q", e.ServiceAccount)
	} else {
		fmt.Fprintf(&b, "no service account of namespace %q", e.Namespace)
	}
	switch {
	case e.ServiceAccount != "" && e.Table == "":
		b.WriteString(" write no table")
	case e.ServiceAccount != "":
		fmt.Fprintf(&b, " not write table %q", e.Table)
	case e.Table == "":
		b.WriteString(" write a table")
	default:
		fmt.Fprintf(&b, " write table %q", e.Table)
	}
	fmt.Fprintf(&b, "; ConfigMap %q allows %s", e.ConfigMap, describeEntries(e.Entries))
	if len(e.Usable) > 0 {
		fmt.Fprintf(&b, " (use --service-account=%s)", e.Usable[0])
		return b.String()
	}
	b.WriteString(" (")
	if e.Table != "" && len(e.Entries) > 0 {
		b.WriteString("choose a --table that starts with an allowed prefix, or ")
	}
	b.WriteString("let whoever runs the release add an entry to its value ingestionAuthz.allowed and restart jobs-manager)")
	return b.String()
}

// describeEntries renders the policy on one line.
func describeEntries(entries []AuthzEntry) string {
	if len(entries) == 0 {
		return "nothing"
	}
	out := make([]string, 0, len(entries))
	for _, entry := range entries {
		prefixes := "no table"
		if len(entry.TablePrefixes) > 0 {
			prefixes = "tables " + list(quoted(entry.TablePrefixes))
		}
		out = append(out, fmt.Sprintf("%q of namespace %q: %s", entry.ServiceAccount, entry.Namespace, prefixes))
	}
	if len(out) > maxListed {
		out = append(out[:maxListed], fmt.Sprintf("and %d more", len(out)-maxListed))
	}
	return strings.Join(out, "; ")
}

// list joins names, and says how many it left out.
func list(names []string) string {
	if len(names) > maxListed {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:maxListed], ", "), len(names)-maxListed)
	}
	return strings.Join(names, ", ")
}

func quoted(names []string) []string {
	out := make([]string, 0, len(names))
	for _, name := range names {
		out = append(out, fmt.Sprintf("%q", name))
	}
	return out
}

// explain wraps the error of an API call with what we were doing and, where
// the kind of error has one, the next step.
func explain(ctx context.Context, client kubernetes.Interface, doing, namespace string, err error) error {
	switch {
	case apierrors.IsForbidden(err):
		return fmt.Errorf("%s: %w (%s)", doing, err, roleRemedy(whoAmI(ctx, client), namespace, roleEdit))
	case apierrors.IsUnauthorized(err):
		return fmt.Errorf("%s: %w (the cluster did not accept the credentials of this context: log in again, then kubectl auth whoami)", doing, err)
	}
	var status apierrors.APIStatus
	if errors.As(err, &status) || errors.Is(err, context.Canceled) {
		return fmt.Errorf("%s: %w", doing, err)
	}
	// The URL of the request, a line of query parameters, says nothing to a user.
	var request *url.Error
	if errors.As(err, &request) {
		err = request.Err
	}
	return fmt.Errorf("%s: %w (does this context reach its cluster? kubectl config current-context; kubectl cluster-info)", doing, err)
}

// IsDenied reports whether err is about permission: the API server's refusal,
// the ingestion policy's, or permissions that a push would miss.
func IsDenied(err error) bool {
	var denied *DeniedError
	var access *AccessError
	return apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) || errors.As(err, &denied) || errors.As(err, &access)
}
