package release

import (
	"context"
	"fmt"
	"strings"

	authnv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// subject is whom a binding names. Its texts are foreign.
type subject struct {
	name string
	// namespace is set for service accounts only.
	namespace string
}

// unknownUser stands where the cluster does not tell the name.
const unknownUser = "YOUR-USER"

// whoAmI asks for the user of these credentials; unknownUser where the cluster
// does not say (SelfSubjectReview came with Kubernetes 1.28).
func whoAmI(ctx context.Context, client kubernetes.Interface) subject {
	who, err := client.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authnv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil || who.Status.UserInfo.Username == "" {
		return subject{name: unknownUser}
	}
	name := who.Status.UserInfo.Username
	if account, ok := strings.CutPrefix(name, "system:serviceaccount:"); ok {
		if namespace, own, ok := strings.Cut(account, ":"); ok && namespace != "" && own != "" {
			return subject{name: own, namespace: namespace}
		}
	}
	return subject{name: name}
}

// flag is how kubectl create rolebinding names the subject.
func (s subject) flag() string {
	if s.namespace != "" {
		return "--serviceaccount=" + shellWord(s.namespace+":"+s.name)
	}
	return "--user=" + shellWord(s.name)
}

// The built-in roles that the next steps name.
const (
	roleView = "view"
	roleEdit = "edit"
)

// roleRemedy is what a cluster admin runs to bind the user to a role that every
// cluster has.
func roleRemedy(user subject, namespace, role string) string {
	if namespace == "" {
		return fmt.Sprintf("ask an admin of the cluster: kubectl create clusterrolebinding tracebloc-%s --clusterrole=%s %s", role, role, user.flag())
	}
	return fmt.Sprintf("ask an admin of the cluster: kubectl create rolebinding tracebloc-%s --clusterrole=%s %s -n %s", role, role, user.flag(), shellWord(namespace))
}

// builtInRole is the smallest built-in role for the calls: "view" reads all but
// the streams into Pods, and "edit" covers every call of a push (contract
// cluster.md §3.1).
func builtInRole(checks []Check) string {
	for _, c := range checks {
		reads := c.Verb == "get" || c.Verb == "list" || c.Verb == "watch"
		if !reads || c.Subresource != "" && c.Subresource != "log" {
			return roleEdit
		}
	}
	return roleView
}

// shellWord quotes a name that a shell would read otherwise, since users copy
// the line.
func shellWord(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("@%_+=:,./-", r)
	}
	if s != "" && strings.TrimFunc(s, plain) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
