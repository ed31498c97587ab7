package podio

import (
	"errors"
	"net/http"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var podResource = schema.GroupResource{Resource: "pods"}

func TestParseRefusal(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		code int
		body string
		is   func(error) bool
		text string
	}{
		{
			"status", http.StatusForbidden,
			`{"kind":"Status","apiVersion":"v1","status":"Failure","message":"pods \"a\" is forbidden","reason":"Forbidden","code":403}`,
			apierrors.IsForbidden, `pods "a" is forbidden`,
		},
		{
			"the node's plain text", http.StatusInternalServerError,
			"container not found (\"stage\")\n",
			apierrors.IsInternalError, `container not found ("stage")`,
		},
		{"a proxy's page", http.StatusUnauthorized, "<html>login</html>", apierrors.IsUnauthorized, "<html>login</html>"},
		{"no body", http.StatusNotFound, "", apierrors.IsNotFound, "the server could not find the requested resource (get pods)"},
		{"other JSON", http.StatusTooManyRequests, `{"error":"busy"}`, apierrors.IsTooManyRequests, `{"error":"busy"}`},
		{
			"status that claims success", http.StatusForbidden,
			`{"kind":"Status","status":"Success"}`,
			apierrors.IsForbidden, `{"kind":"Status","status":"Success"}`,
		},
	}
	for _, test := range tests {
		err := parseRefusal(http.MethodGet, test.code, []byte(test.body))
		if !test.is(err) || err.Error() != test.text {
			t.Errorf("%s: got %#v", test.name, err)
		}
	}
}

func FuzzParseRefusal(f *testing.F) {
	f.Add(http.StatusForbidden, []byte(`{"kind":"Status","status":"Failure","message":"no","code":403}`))
	f.Add(http.StatusBadGateway, []byte("<html>"))
	f.Fuzz(func(t *testing.T, code int, body []byte) {
		var status *apierrors.StatusError
		if err := parseRefusal(http.MethodPost, code, body); !errors.As(err, &status) || err.Error() == "" {
			t.Errorf("got %#v", err)
		}
	})
}
