package cmd

import (
	"bytes"
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	authnv1 "k8s.io/api/authentication/v1"
	authzv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/kubernetes/scheme"
	clienttesting "k8s.io/client-go/testing"

	"github.com/tracebloc/kubectl-tracebloc/pkg/release"
)

// infoCluster is a cluster with the release of testdata/info/release.yaml,
// whose user may do all but what is denied.
func infoCluster(t *testing.T, denied ...string) *fake.Clientset {
	t.Helper()
	text, err := os.ReadFile("testdata/info/release.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var objects []runtime.Object
	for doc := range bytes.SplitSeq(text, []byte("\n---\n")) {
		object, _, err := scheme.Codecs.UniversalDeserializer().Decode(doc, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		objects = append(objects, object)
	}
	client := fake.NewClientset(objects...)
	client.PrependReactor("create", "selfsubjectaccessreviews", func(a clienttesting.Action) (bool, runtime.Object, error) {
		review := a.(clienttesting.CreateAction).GetObject().(*authzv1.SelfSubjectAccessReview).DeepCopy()
		asked := review.Spec.ResourceAttributes
		review.Status.Allowed = !slices.Contains(denied, strings.TrimSuffix(asked.Verb+" "+asked.Resource+"/"+asked.Subresource, "/"))
		return true, review, nil
	})
	client.PrependReactor("create", "selfsubjectreviews", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, &authnv1.SelfSubjectReview{Status: authnv1.SelfSubjectReviewStatus{UserInfo: authnv1.UserInfo{Username: "dana"}}}, nil
	})
	client.PrependReactor("create", "serviceaccounts", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, &authnv1.TokenRequest{Status: authnv1.TokenRequestStatus{Token: "secret-token"}}, nil
	})
	return client
}

func TestInfo(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string // and the golden file
		options infoOptions
		denied  []string
		change  func(t *testing.T, c *fake.Clientset)
		ping    error
		code    int
		err     string
	}{
		{name: "ready.txt"},
		{name: "ready.json", options: infoOptions{output: "json", table: "chest_xrays"}},
		{name: "ready.yaml", options: infoOptions{output: "yaml", table: "chest_xrays"}},
		{name: "earlier-run.txt", options: infoOptions{table: "chest_old"}},
		{name: "no-release.txt", options: infoOptions{namespace: "default"}, code: exitRelease,
			err: `a push to namespace "default" would not work: no tracebloc client release in namespace "default"; this cluster has "acme" in -n ml`},
		{name: "denied.txt", denied: []string{"create pods/exec", "get pods/exec", "create serviceaccounts/token", "list events"}, code: exitAuth,
			err: `a push to namespace "ml" would not work: 2 of 33 checks found something missing: create serviceaccounts/token, create pods/exec` +
				` (ask an admin of the cluster: kubectl create rolebinding tracebloc-edit --clusterrole=edit --user=dana -n ml)`},
		{name: "prefix.txt", options: infoOptions{table: "brain_scans"}, code: exitAuth,
			err: `a push to namespace "ml" would not work: the ingestion policy of the release lets no service account of namespace "ml" write table "brain_scans";` +
				` ConfigMap "acme-ingestion-authz" allows "ingestor" of namespace "ml": tables "chest_", "skin_" (choose a --table that starts with` +
				` an allowed prefix, or let whoever runs the release add an entry to its value ingestionAuthz.allowed and restart jobs-manager)`},
		{name: "broken.txt", change: breakRelease, denied: []string{"delete pods"}, code: exitRelease,
			err: `a push to namespace "ml" would not work: 3 of 33 checks found something missing: pvc, pod, delete pods` +
				` (ask an admin of the cluster: kubectl create rolebinding tracebloc-edit --clusterrole=edit --user=dana -n ml)`},
		{name: "not-ready.txt", ping: &release.NotReadyError{Body: "{\"metadata_db\":false}\n"}, code: exitRelease,
			err: `a push to namespace "ml" would not work: jobs-manager answers that it is not ready (status 503): "{\"metadata_db\":false}\n"; see its log` +
				` (kubectl logs acme-jobs-manager-5f6d-q9wlk -n ml)`},
		{name: "forward-forbidden.txt", code: exitAuth,
			ping: apierrors.NewForbidden(schema.GroupResource{Resource: "pods/portforward"}, "acme", errors.New("admission\x1b[31m\tsays\nno")),
			err: "a push to namespace \"ml\" would not work: pods/portforward \"acme\" is forbidden: admission\x1b[31m\tsays\nno" +
				" (kubectl logs acme-jobs-manager-5f6d-q9wlk -n ml)"},
		{name: "unauthorized.json", options: infoOptions{output: "json"}, change: refuseEverybody, code: exitAuth,
			err: `a push to namespace "ml" would not work: list Deployments in namespace "ml": token expired` +
				` (the cluster did not accept the credentials of this context: log in again, then kubectl auth whoami)`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			client := infoCluster(t, tt.denied...)
			if tt.change != nil {
				tt.change(t, client)
			}
			streams, _, out, errOut := genericiooptions.NewTestIOStreams()
			o := tt.options
			o.IOStreams, o.client = streams, client
			o.answers = func(context.Context, *release.Release) error { return tt.ping }
			if o.namespace == "" {
				o.namespace = "ml"
			}
			err := o.run(t.Context())
			if code := ExitCode(err); code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			if got := errorText(err); got != tt.err {
				t.Errorf("error\n got %s\nwant %s", got, tt.err)
			}
			if errOut.Len() > 0 || strings.Contains(out.String(), "secret-token") {
				t.Errorf("stderr %q, or the token is shown", errOut)
			}
			golden(t, "info/"+tt.name, out.String())
		})
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// breakRelease leaves the release with a PVC that is lost and no Ready Pod.
func breakRelease(t *testing.T, client *fake.Clientset) {
	t.Helper()
	claims := client.CoreV1().PersistentVolumeClaims("ml")
	claim, err := claims.Get(t.Context(), "client-pvc", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	claim.Status.Phase = corev1.ClaimLost
	if _, err := claims.Update(t.Context(), claim, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := client.CoreV1().Pods("ml").Delete(t.Context(), "acme-jobs-manager-5f6d-q9wlk", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
}

func refuseEverybody(_ *testing.T, client *fake.Clientset) {
	client.PrependReactor("*", "*", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewUnauthorized("token expired")
	})
}

func TestInfoCanceled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	streams, _, out, _ := genericiooptions.NewTestIOStreams()
	o := infoOptions{client: infoCluster(t), namespace: "ml", IOStreams: streams}
	if err := o.run(ctx); ExitCode(err) != exitInterrupted || out.Len() > 0 {
		t.Errorf("got %v, printed %q", err, out)
	}
}

func TestInfoFlags(t *testing.T) {
	for name, tt := range map[string]struct {
		args []string
		code int
		want string
	}{
		"format":   {args: []string{"-o", "wide"}, code: exitSpec, want: `output format "wide" is not known (use -o json or -o yaml)`},
		"table":    {args: []string{"--table", "1cat"}, code: exitSpec, want: "1cat"},
		"argument": {args: []string{"acme"}, code: exitSpec, want: `"acme"`},
		"context":  {args: []string{"--context", "nowhere"}, code: exitRelease, want: "nowhere"},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, _, err := runRootCommand(t, append([]string{"info", "--kubeconfig", "testdata/info/kubeconfig"}, tt.args...)...)
			if ExitCode(err) != tt.code || !strings.Contains(errorText(err), tt.want) || stdout != "" {
				t.Errorf("exit code %d, want %d; error %v; stdout %q", ExitCode(err), tt.code, err, stdout)
			}
		})
	}
}
