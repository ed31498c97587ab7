package cmd

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// asked finds what the plugin's code asks of a clientset.
var asked = regexp.MustCompile(`\b[cC]lient\.([A-Z]\w*V\d\w*|Discovery)\(\)`)

// Every API group that the plugin's code asks has a client: one that has none would be a nil pointer in the hands of a user.
func TestClientsOfAllGroups(t *testing.T) {
	client, err := newClients(&rest.Config{Host: "https://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	var groups []string
	err = filepath.WalkDir("..", func(path string, e fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range asked.FindAllStringSubmatch(string(source), -1) {
			groups = append(groups, m[1])
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(groups)
	groups = slices.Compact(groups)
	if len(groups) < 6 {
		t.Errorf("only these groups were found: %q", groups)
	}
	for _, group := range groups {
		method := reflect.ValueOf(client).MethodByName(group)
		if !method.IsValid() {
			t.Errorf("no clientset has %s", group)
			continue
		}
		func() {
			defer func() {
				if recover() != nil {
					t.Errorf("there is no client of %s: add it to clients", group)
				}
			}()
			if got := method.Call(nil)[0]; got.IsNil() {
				t.Errorf("the client of %s is nil", group)
			}
		}()
	}
}

// The clients say who they are, keep to the limit, and refuse a kubeconfig that cannot be used.
func TestClientsConfig(t *testing.T) {
	var agent string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		agent = r.UserAgent()
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"kind":"PodList","apiVersion":"v1","items":[]}`))
	}))
	defer server.Close()
	config := &rest.Config{Host: server.URL, QPS: 50, Burst: 100}
	client, err := newClients(config)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.CoreV1().Pods("ml").List(t.Context(), metav1.ListOptions{}); err != nil {
		t.Fatal(err)
	}
	if want := rest.DefaultKubernetesUserAgent(); agent != want {
		t.Errorf("the user agent is %q, want %q", agent, want)
	}
	if config.UserAgent != "" || config.RateLimiter != nil {
		t.Errorf("the caller's configuration was changed: %+v", config)
	}
	if got, other := client.CoreV1().RESTClient().GetRateLimiter(), client.BatchV1().RESTClient().GetRateLimiter(); got == nil || got != other {
		t.Error("the groups do not share one limit of requests")
	}
	for _, bad := range []*rest.Config{
		{Host: server.URL, QPS: 5},
		{Host: "https://127.0.0.1:1", TLSClientConfig: rest.TLSClientConfig{CAFile: filepath.Join(t.TempDir(), "none")}},
	} {
		if _, err := newClients(bad); err == nil {
			t.Errorf("no error: %+v", bad)
		}
	}
}
