package release

import (
	"context"
	"fmt"
	"sync"
	"time"

	authnv1 "k8s.io/api/authentication/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// MintToken makes a short-lived token of the service account, which is the
// identity that jobs-manager reviews. It has the API server's own audience,
// as contract cluster.md §2.1 wants it. The API server wants a lifetime of at
// least ten minutes, and may shorten a long one. The token is in no error.
func MintToken(ctx context.Context, client kubernetes.Interface, namespace, serviceAccount string, lifetime time.Duration) (token string, expires time.Time, err error) {
	answer, err := requestToken(ctx, client, namespace, serviceAccount, lifetime)
	if err != nil {
		return "", time.Time{}, err
	}
	return answer.Status.Token, answer.Status.ExpirationTimestamp.Time, nil
}

func requestToken(ctx context.Context, client kubernetes.Interface, namespace, serviceAccount string, lifetime time.Duration) (*authnv1.TokenRequest, error) {
	seconds := int64(lifetime / time.Second)
	request := &authnv1.TokenRequest{Spec: authnv1.TokenRequestSpec{ExpirationSeconds: &seconds}}
	// The body of the answer is a secret.
	answer, err := client.CoreV1().ServiceAccounts(namespace).CreateToken(withoutBodies(ctx), serviceAccount, request, metav1.CreateOptions{})
	about := fmt.Sprintf("make a token of service account %q in namespace %q", serviceAccount, namespace)
	switch {
	case apierrors.IsNotFound(err):
		return nil, fmt.Errorf("%s: not found, though the ingestion policy names it (kubectl create serviceaccount %s -n %s, or another one that the policy allows with --service-account)",
			about, serviceAccount, namespace)
	case err != nil:
		return nil, explain(ctx, client, about, namespace, err)
	case answer.Status.Token == "":
		return nil, fmt.Errorf("%s: the API server answered without a token (does the cluster issue service account tokens? kubectl create token %s -n %s)",
			about, serviceAccount, namespace)
	}
	return answer, nil
}

// TokenSource hands out a token that is still good for a while, and mints a
// new one when the last is not. A submit that is retried for an hour outlives
// its first token. It is safe for concurrent use.
type TokenSource struct {
	client                    kubernetes.Interface
	namespace, serviceAccount string
	lifetime                  time.Duration

	mu    sync.Mutex
	token string
	renew time.Time
}

// NewTokenSource mints nothing yet.
func NewTokenSource(client kubernetes.Interface, namespace, serviceAccount string, lifetime time.Duration) *TokenSource {
	return &TokenSource{client: client, namespace: namespace, serviceAccount: serviceAccount, lifetime: lifetime}
}

// Token returns a token with at least a third of its life ahead. Its errors
// are those of MintToken.
func (s *TokenSource) Token(ctx context.Context) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := time.Now()
	if s.token != "" && asked.Before(s.renew) {
		return s.token, nil
	}
	answer, err := requestToken(ctx, s.client, s.namespace, s.serviceAccount, s.lifetime)
	if err != nil {
		return "", err
	}
	// The life that was granted is measured on our clock: the expiry is a time
	// of the server's, and the two may differ by more than the life itself.
	life := s.lifetime
	if granted := answer.Spec.ExpirationSeconds; granted != nil && *granted > 0 {
		life = min(life, time.Duration(*granted)*time.Second)
	}
	s.token, s.renew = answer.Status.Token, asked.Add(life*2/3)
	return s.token, nil
}

// String keeps the token out of whatever prints the source.
func (s *TokenSource) String() string {
	return fmt.Sprintf("tokens of service account %q in namespace %q", s.serviceAccount, s.namespace)
}

// GoString is String.
func (s *TokenSource) GoString() string { return s.String() }

// Forget drops the token, for a server that does not accept it any more: the
// next call of Token mints a new one.
func (s *TokenSource) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token = ""
}
