package release

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	authnv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
)

// answerTokens mints "token-1", "token-2", … each good for granted.
func answerTokens(client *fake.Clientset, granted time.Duration) (minted *int) {
	minted = new(int)
	client.PrependReactor("create", "serviceaccounts", func(a clienttesting.Action) (bool, runtime.Object, error) {
		if a.GetSubresource() != "token" {
			return false, nil, nil
		}
		request := a.(clienttesting.CreateAction).GetObject().(*authnv1.TokenRequest).DeepCopy()
		if len(request.Spec.Audiences) > 0 {
			return true, nil, fmt.Errorf("audiences %q", request.Spec.Audiences)
		}
		*minted++
		seconds := int64(granted / time.Second)
		request.Spec.ExpirationSeconds = &seconds
		request.Status = authnv1.TokenRequestStatus{
			Token: fmt.Sprintf("token-%d", *minted), ExpirationTimestamp: metav1.NewTime(time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)),
		}
		return true, request, nil
	})
	return minted
}

func TestMintToken(t *testing.T) {
	t.Parallel()
	client := fake.NewClientset()
	answerTokens(client, time.Hour)
	token, expires, err := MintToken(t.Context(), client, "ml", "ingestor", time.Hour)
	if err != nil || token != "token-1" || expires.Year() != 2026 {
		t.Fatalf("got %q, %v, %v", token, expires, err)
	}
	action := client.Actions()[0].(clienttesting.CreateActionImpl)
	if action.Name != "ingestor" || action.Namespace != "ml" || *action.Object.(*authnv1.TokenRequest).Spec.ExpirationSeconds != 3600 {
		t.Errorf("asked for %+v", action)
	}
}

func TestMintTokenErrors(t *testing.T) {
	t.Parallel()
	const about = `make a token of service account "ingestor" in namespace "ml": `
	accounts := schema.GroupResource{Resource: "serviceaccounts"}
	tests := []struct {
		name   string
		answer *authnv1.TokenRequest
		err    error
		want   string
	}{
		{name: "forbidden", err: apierrors.NewForbidden(accounts, "ingestor", errors.New("no")),
			want: about + `serviceaccounts "ingestor" is forbidden: no ` + askEdit},
		{name: "gone", err: apierrors.NewNotFound(accounts, "ingestor"),
			want: about + `not found, though the ingestion policy names it (kubectl create serviceaccount ingestor -n ml,` +
				` or another one that the policy allows with --service-account)`},
		{name: "empty", answer: &authnv1.TokenRequest{},
			want: about + `the API server answered without a token (does the cluster issue service account tokens? kubectl create token ingestor -n ml)`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			client := fake.NewClientset()
			client.PrependReactor("create", "serviceaccounts", func(clienttesting.Action) (bool, runtime.Object, error) {
				return true, tt.answer, tt.err
			})
			_, _, err := MintToken(t.Context(), client, "ml", "ingestor", time.Hour)
			if err == nil || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestTokenSource(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		granted time.Duration
		after   time.Duration
		want    string
	}{
		{"kept while it is good", time.Hour, 39 * time.Minute, "token-1"},
		{"renewed with a third of its life ahead", time.Hour, 41 * time.Minute, "token-2"},
		{"the server granted less", 10 * time.Minute, 7 * time.Minute, "token-2"},
		{"the server granted more", 3 * time.Hour, 41 * time.Minute, "token-2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := fake.NewClientset()
				answerTokens(client, tt.granted)
				source := NewTokenSource(client, "ml", "ingestor", time.Hour)
				if first, err := source.Token(t.Context()); err != nil || first != "token-1" {
					t.Fatalf("got %q, %v", first, err)
				}
				time.Sleep(tt.after)
				if got, err := source.Token(t.Context()); err != nil || got != tt.want {
					t.Errorf("got %q, %v; want %q", got, err, tt.want)
				}
			})
		})
	}
}

func TestTokenSourceForget(t *testing.T) {
	t.Parallel()
	client := fake.NewClientset()
	minted := answerTokens(client, time.Hour)
	source := NewTokenSource(client, "ml", "ingestor", time.Hour)
	for range 2 {
		if _, err := source.Token(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	source.Forget()
	if got, err := source.Token(t.Context()); err != nil || got != "token-2" || *minted != 2 {
		t.Errorf("got %q, %v after %d tokens", got, err, *minted)
	}
	if shown := fmt.Sprintf("%v %+v %#v %s", source, source, source, source); strings.Contains(shown, "token-2") {
		t.Error("printing the source prints the token")
	}
}
