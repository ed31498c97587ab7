//go:build unix

package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// However much is logged, no credential is in it, from wherever it came.
func TestNoCredentialsInLogs(t *testing.T) {
	server := startAPI(t, nil)
	command, _, _ := credentials(t)
	for name, change := range map[string]func(*clientcmdapi.Cluster, *clientcmdapi.AuthInfo){
		"token": func(_ *clientcmdapi.Cluster, user *clientcmdapi.AuthInfo) { user.Token = "canary-1" },
		"password": func(_ *clientcmdapi.Cluster, user *clientcmdapi.AuthInfo) {
			user.Username, user.Password = "dana", "canary-1"
		},
		"credential plugin": func(_ *clientcmdapi.Cluster, user *clientcmdapi.AuthInfo) { user.Exec = execPlugin(command) },
	} {
		kubeconfig := server.kubeconfig(t, change)
		for _, v := range []int{0, 5, 6, 7, 8, 10} {
			r := finish(t, plugin(t, nil, "runs", "-o", "json", fmt.Sprintf("-v=%d", v), "--kubeconfig", kubeconfig))
			if r.code != 0 || strings.Contains(r.stdout+r.stderr, "canary") || strings.Contains(r.stderr, "ZGFuYTpjYW5hcnk") || !strings.HasPrefix(r.stdout, "{") {
				t.Errorf("%s: -v=%d: got %+v", name, v, r)
			}
			if shown := strings.Contains(r.stderr, server.URL+"/apis/batch/v1/namespaces/ml/jobs"); shown != (v >= 6) {
				t.Errorf("%s: -v=%d: requests are shown: %v\n%s", name, v, shown, r.stderr)
			}
		}
	}
	for _, r := range server.got() {
		if auth := r.Header.Get("Authorization"); !strings.HasPrefix(auth, "Bearer canary-") && !strings.HasPrefix(auth, "Basic ZGFuYTpjYW5hcnk") {
			t.Errorf("a request came with %q", auth)
		}
	}
}

// Nor are they in what is said about a request that is refused.
func TestNoCredentialsInErrors(t *testing.T) {
	server := startAPI(t, func(a *api) { a.admit = func(*http.Request) int { return http.StatusUnauthorized } })
	kubeconfig := server.kubeconfig(t, func(_ *clientcmdapi.Cluster, user *clientcmdapi.AuthInfo) { user.Token = "canary-1" })
	r := finish(t, plugin(t, nil, "runs", "-v=10", "--kubeconfig", kubeconfig))
	if r.code != 5 || strings.Contains(r.stderr, "canary") {
		t.Errorf("got %+v", r)
	}
}
