package release

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	authzv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
)

func TestExamine(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		change   func(s *shape)
		question Question
		denied   []string
		api      func(client *fake.Clientset)
		ping     error
		// want lists every check that is not ok, and some that are left out.
		want, absent []string
		onlyDenied   bool
	}{
		{name: "ready"},
		{name: "ready for a table", question: Question{Table: "cats", Earlier: func(context.Context) (string, error) { return "", nil }}},
		{name: "no image", change: func(s *shape) { s.env("INGESTOR_IMAGE_DIGEST", ""); s.env("INGESTOR_IMAGE_TAG", "") },
			want: []string{"ingestor image warning"}},
		{name: "no release", change: func(s *shape) { s.manager = nil }, want: []string{"release missing"},
			absent: []string{"pvc", "service account", "token", "endpoint"}},
		{name: "switched off", change: func(s *shape) { s.env("INGESTION_HTTP_DISABLED", "true") },
			want: []string{"jobs-manager missing"}, absent: []string{"endpoint"}},
		{name: "no port-forward", denied: []string{"create pods/portforward"}, want: []string{"create pods/portforward missing"},
			absent: []string{"endpoint"}, onlyDenied: true},
		{name: "no token", denied: []string{"create serviceaccounts/token"}, want: []string{"create serviceaccounts/token missing"},
			absent: []string{"token"}, onlyDenied: true},
		{name: "does not answer", ping: errors.New("connection refused"), want: []string{"endpoint missing"}},
		{name: "policy denies all", change: func(s *shape) { s.policy.Data["ingestion-authz.yaml"] = "allowed: []" },
			want: []string{"service account missing"}, absent: []string{"token"}, onlyDenied: true},
		{name: "policy unreadable", change: func(s *shape) { s.policy = nil }, want: []string{"policy missing"}, absent: []string{"service account", "token"}},
		{name: "earlier runs unreadable", question: Question{Table: "cats", Earlier: func(context.Context) (string, error) {
			return "", apierrors.NewForbidden(schema.GroupResource{Resource: "configmaps"}, "", errors.New("no"))
		}}, want: []string{"destination missing"}, onlyDenied: true},
		{name: "an earlier run", question: Question{Table: "cats", Earlier: func(context.Context) (string, error) { return "run 1 filled it", nil }},
			want: []string{"destination warning"}},
		{name: "reviews fail", api: func(c *fake.Clientset) {
			answerReviews(c, func(a *authzv1.ResourceAttributes) (authzv1.SubjectAccessReviewStatus, error) {
				return authzv1.SubjectAccessReviewStatus{Allowed: true}, map[bool]error{true: errors.New("away")}[a.Verb == "delete"]
			})
		}, want: []string{"delete pods warning"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newShape()
			if tt.change != nil {
				tt.change(s)
			}
			client := s.client()
			answerReviews(client, allowAllBut(tt.denied...))
			answerTokens(client, time.Hour)
			if tt.api != nil {
				tt.api(client)
			}
			q := tt.question
			q.Namespace, q.Answers = "ml", func(context.Context, *Release) error { return tt.ping }
			report, err := Examine(t.Context(), client, q)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, check := range report.Checks {
				if check.Status != StatusOK {
					got = append(got, fmt.Sprintf("%s %s", check.Name, check.Status))
				}
				if slices.Contains(tt.absent, check.Name) {
					t.Errorf("%q was checked, though it cannot be", check.Name)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			checkVerdict(t, report, slices.ContainsFunc(tt.want, func(s string) bool { return strings.HasSuffix(s, " missing") }), tt.onlyDenied)
		})
	}
}

func checkVerdict(t *testing.T, report *Report, missing, onlyDenied bool) {
	t.Helper()
	var unready *UnreadyError
	if err := report.Err(); errors.As(err, &unready) != missing {
		t.Fatalf("verdict is %v", err)
	}
	if missing && unready.OnlyDenied() != onlyDenied {
		t.Errorf("only denied: %v", unready.OnlyDenied())
	}
}

func TestReleaseName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"acme-jobs-manager": "acme", "jobs-manager": "jobs-manager"} {
		d := newShape().manager
		d.Name = name
		delete(d.Labels, labelInstance)
		if got := releaseName(d); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}
