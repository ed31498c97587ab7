package release

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	authzv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// WriteUserKubeconfig makes a user that has one ClusterRole, such as edit, in the release's namespace and nothing else, and
// writes a kubeconfig with its token to path. The user is a service account of the namespace, gone with the release.
func (r *Release) WriteUserKubeconfig(ctx context.Context, user, clusterRole, path string) error {
	if err := r.makeUser(ctx, user); err != nil {
		return err
	}
	ref := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: clusterRole}
	if err := r.bind(ctx, user, user+"-"+clusterRole, ref); err != nil {
		return err
	}
	return r.writeKubeconfig(ctx, user, path)
}

// WriteRoleKubeconfig makes a user that has the rules in the release's namespace and nothing else, and writes a kubeconfig with
// its token to path. It returns when the cluster knows the rules. The user is a service account of the namespace, gone with the
// release; its name may be used once.
func (r *Release) WriteRoleKubeconfig(ctx context.Context, user string, rules []rbacv1.PolicyRule, path string) error {
	if err := r.makeUser(ctx, user); err != nil {
		return err
	}
	role := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: user}, Rules: rules}
	if _, err := r.Client.RbacV1().Roles(r.Options.Namespace).Create(ctx, role, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("make user %q: %w", user, err)
	}
	if err := r.bind(ctx, user, user, rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: user}); err != nil {
		return err
	}
	for _, rule := range rules {
		if err := r.AwaitRule(ctx, user, rule); err != nil {
			return fmt.Errorf("make user %q: %w", user, err)
		}
	}
	return r.writeKubeconfig(ctx, user, path)
}

func (r *Release) makeUser(ctx context.Context, user string) error {
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: user}}
	_, err := r.Client.CoreV1().ServiceAccounts(r.Options.Namespace).Create(ctx, account, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("make user %q: %w", user, err)
	}
	return nil
}

func (r *Release) bind(ctx context.Context, user, name string, ref rbacv1.RoleRef) error {
	ns := r.Options.Namespace
	binding := &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: user, Namespace: ns}},
		RoleRef:    ref,
	}
	if _, err := r.Client.RbacV1().RoleBindings(ns).Create(ctx, binding, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("make user %q: %w", user, err)
	}
	return nil
}

// AwaitRule waits until the API server's authorizer, which learns of a Role a moment after it was made, lets the user do the
// first thing that the rule allows.
func (r *Release) AwaitRule(ctx context.Context, user string, rule rbacv1.PolicyRule) error {
	ns := r.Options.Namespace
	resource, subresource, _ := strings.Cut(rule.Resources[0], "/")
	question := &authzv1.SubjectAccessReview{Spec: authzv1.SubjectAccessReviewSpec{
		User:   "system:serviceaccount:" + ns + ":" + user,
		Groups: []string{"system:serviceaccounts", "system:serviceaccounts:" + ns, "system:authenticated"},
		ResourceAttributes: &authzv1.ResourceAttributes{
			Namespace: ns, Verb: rule.Verbs[0], Group: rule.APIGroups[0], Resource: resource, Subresource: subresource,
		},
	}}
	if len(rule.ResourceNames) > 0 {
		question.Spec.ResourceAttributes.Name = rule.ResourceNames[0]
	}
	return wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, 30*time.Second, true, func(ctx context.Context) (bool, error) {
		answer, err := r.Client.AuthorizationV1().SubjectAccessReviews().Create(ctx, question, metav1.CreateOptions{})
		return err == nil && answer.Status.Allowed, err
	})
}

func (r *Release) writeKubeconfig(ctx context.Context, user, path string) error {
	token, err := r.Token(ctx, user)
	if err != nil {
		return err
	}
	ca := r.Config.CAData
	if len(ca) == 0 && r.Config.CAFile != "" {
		if ca, err = os.ReadFile(r.Config.CAFile); err != nil {
			return fmt.Errorf("make user %q: %w", user, err)
		}
	}
	config := clientcmdapi.NewConfig()
	config.Clusters["cluster"] = &clientcmdapi.Cluster{Server: r.Config.Host, CertificateAuthorityData: ca, InsecureSkipTLSVerify: r.Config.Insecure, TLSServerName: r.Config.ServerName}
	config.AuthInfos[user] = &clientcmdapi.AuthInfo{Token: token}
	config.Contexts["context"] = &clientcmdapi.Context{Cluster: "cluster", AuthInfo: user, Namespace: r.Options.Namespace}
	config.CurrentContext = "context"
	return clientcmd.WriteToFile(*config, path)
}

// LeftPods names the Pods of the namespace that nothing owns and that the release did not put there: what a client has
// left behind. Pods of Jobs and Deployments, the decoys, and the tests' own look at the volume do not count.
func (r *Release) LeftPods(ctx context.Context) ([]string, error) {
	pods, err := r.Client.CoreV1().Pods(r.Options.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list Pods: %w", err)
	}
	var left []string
	for _, p := range pods.Items {
		if metav1.GetControllerOf(&p) == nil && p.Labels[LabelVolume] == "" && !strings.HasPrefix(p.Labels["app"], "manager") {
			left = append(left, p.Name)
		}
	}
	return left, nil
}
