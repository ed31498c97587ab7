package release

import (
	"context"
	"fmt"
	"os"
	"strings"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// WriteUserKubeconfig makes a user that has one ClusterRole, such as edit, in the release's namespace and nothing else, and
// writes a kubeconfig with its token to path. The user is a service account of the namespace, gone with the release.
func (r *Release) WriteUserKubeconfig(ctx context.Context, user, clusterRole, path string) error {
	ns := r.Options.Namespace
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: user}}
	if _, err := r.Client.CoreV1().ServiceAccounts(ns).Create(ctx, account, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("make user %q: %w", user, err)
	}
	binding := &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: user + "-" + clusterRole},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: user, Namespace: ns}},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: clusterRole},
	}
	if _, err := r.Client.RbacV1().RoleBindings(ns).Create(ctx, binding, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("make user %q: %w", user, err)
	}
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
	config.Contexts["context"] = &clientcmdapi.Context{Cluster: "cluster", AuthInfo: user, Namespace: ns}
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
