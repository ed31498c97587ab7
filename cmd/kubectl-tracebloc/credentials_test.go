//go:build unix

package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

func tick() <-chan time.Time { return time.After(200 * time.Millisecond) }

// execPlugin is a user whose credentials come from a program.
func execPlugin(command string) *clientcmdapi.ExecConfig {
	return &clientcmdapi.ExecConfig{
		APIVersion: "client.authentication.k8s.io/v1", Command: command, InteractiveMode: clientcmdapi.IfAvailableExecInteractiveMode,
	}
}

// bearer admits requests with this token.
func bearer(token string) func(*http.Request) int {
	return func(r *http.Request) int {
		if r.Header.Get("Authorization") != "Bearer "+token {
			return http.StatusUnauthorized
		}
		return 0
	}
}

// credentials is a credential plugin in which counter says how often it was
// called: its first token is one, the next two, and so on. What it finds on its stdin goes to a file.
func credentials(t *testing.T) (command, calls, stdin string) {
	dir := t.TempDir()
	calls, stdin = filepath.Join(dir, "calls"), filepath.Join(dir, "stdin")
	return writeFile(t, "credentials", fmt.Sprintf(`#!/bin/sh
echo call >> %[1]s
cat >> %[2]s
printf '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"canary-%%d"}}' "$(wc -l < %[1]s)"
`, calls, stdin)), calls, stdin
}

func TestCredentialPlugin(t *testing.T) {
	command, calls, stdin := credentials(t)
	kubeconfig := startAPI(t, func(a *api) { a.admit = bearer("canary-1") }).kubeconfig(t, func(_ *clientcmdapi.Cluster, user *clientcmdapi.AuthInfo) {
		user.Exec = execPlugin(command)
	})
	c := plugin(t, nil, "runs", "-o", "name", "--kubeconfig", kubeconfig)
	c.Stdin = strings.NewReader("what belongs to the command")
	if r := finish(t, c); r.code != 0 || r.stdout != "ingestionrun.tracebloc.io/000000000000\n" || r.stderr != "" {
		t.Errorf("got %+v", r)
	}
	for file, want := range map[string]string{calls: "call\n", stdin: ""} {
		if got, err := os.ReadFile(file); err != nil || string(got) != want {
			t.Errorf("%s: %q and %v, want %q", filepath.Base(file), got, err, want)
		}
	}
}

// A token that is not accepted any more is followed by a new one, and a command
// that goes on uses that.
func TestCredentialPluginRotates(t *testing.T) {
	command, _, _ := credentials(t)
	var watches atomic.Int32
	server := startAPI(t, func(a *api) {
		a.admit = func(r *http.Request) int {
			if r.URL.Query().Get("watch") != "" {
				watches.Add(1)
				return http.StatusGone // so that everything is asked anew
			}
			if watches.Load() == 0 {
				return bearer("canary-1")(r)
			}
			if bearer("canary-1")(r) == 0 {
				return http.StatusUnauthorized
			}
			return 0
		}
	})
	kubeconfig := server.kubeconfig(t, func(_ *clientcmdapi.Cluster, user *clientcmdapi.AuthInfo) { user.Exec = execPlugin(command) })
	c := plugin(t, nil, "runs", "-w", "-o", "name", "--kubeconfig", kubeconfig)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	for rotated := false; !rotated; {
		<-tick()
		for _, r := range server.got() {
			rotated = rotated || r.URL.Query().Get("watch") == "" && r.Header.Get("Authorization") == "Bearer canary-2"
		}
	}
	_ = c.Process.Signal(os.Interrupt)
	if err := c.Wait(); c.ProcessState.ExitCode() != 130 {
		t.Errorf("got %v", err)
	}
}

// idToken is what a provider would sign; the API server alone looks at that.
func idToken(t *testing.T, expires time.Time) string {
	t.Helper()
	claims, err := json.Marshal(map[string]any{"sub": "dana", "exp": expires.Unix()})
	if err != nil {
		t.Fatal(err)
	}
	return "e30." + base64.RawURLEncoding.EncodeToString(claims) + ".c2ln"
}

// A kubeconfig with auth-provider: oidc works, and an expired id token is renewed.
func TestOIDC(t *testing.T) {
	fresh := idToken(t, time.Now().Add(time.Hour))
	var issuer *httptest.Server
	issuer = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if strings.HasSuffix(r.URL.Path, "/openid-configuration") {
			_, _ = fmt.Fprintf(w, `{"issuer":%[1]q,"token_endpoint":"%[1]s/token"}`, issuer.URL)
			return
		}
		_, _ = fmt.Fprintf(w, `{"access_token":"a","token_type":"bearer","refresh_token":"next","id_token":%q}`, fresh)
	}))
	issuer.StartTLS()
	defer issuer.Close()
	server := startAPI(t, func(a *api) { a.admit = bearer(fresh) })
	kubeconfig := server.kubeconfig(t, func(cluster *clientcmdapi.Cluster, user *clientcmdapi.AuthInfo) {
		user.AuthProvider = &clientcmdapi.AuthProviderConfig{Name: "oidc", Config: map[string]string{
			"idp-issuer-url": issuer.URL, "client-id": "kubectl", "client-secret": "s", "refresh-token": "last",
			"id-token":                       idToken(t, time.Now().Add(-time.Hour)),
			"idp-certificate-authority-data": base64.StdEncoding.EncodeToString(server.ca()), // httptest has one certificate
		}}
	})
	if r := finish(t, plugin(t, nil, "runs", "-o", "name", "--kubeconfig", kubeconfig)); r.code != 0 {
		t.Fatalf("got %+v", r)
	}
	config, err := clientcmd.LoadFromFile(kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	if got := config.AuthInfos["u"].AuthProvider.Config; got["refresh-token"] != "next" || got["id-token"] != fresh {
		t.Errorf("the kubeconfig was not updated: %v", got)
	}
}

// kubectl's flags mean here what they mean there, in every request.
func TestFlags(t *testing.T) {
	server := startAPI(t, nil)
	kubeconfig := server.kubeconfig(t, func(cluster *clientcmdapi.Cluster, user *clientcmdapi.AuthInfo) { user.Token = "canary-of-file" })
	for name, tt := range map[string]struct {
		args   []string
		header map[string][]string
	}{
		"as": {
			[]string{"--as=jane", "--as-group=a", "--as-group=b", "--as-uid=7", "--as-user-extra=team=ml"},
			map[string][]string{
				"Impersonate-User": {"jane"}, "Impersonate-Group": {"a", "b"}, "Impersonate-Uid": {"7"}, "Impersonate-Extra-Team": {"ml"},
				"Authorization": {"Bearer canary-of-file"},
			},
		},
		"token": {[]string{"--token=canary-of-flag"}, map[string][]string{"Authorization": {"Bearer canary-of-flag"}}},
	} {
		before := len(server.got())
		r := finish(t, plugin(t, nil, append(tt.args, "runs", "-o", "name", "--kubeconfig", kubeconfig)...))
		asked := server.got()[before:]
		if r.code != 0 || len(asked) < 2 {
			t.Fatalf("%s: got %+v after %d requests", name, r, len(asked))
		}
		for _, request := range asked {
			for header, want := range tt.header {
				if diff := cmp.Diff(want, request.Header.Values(header)); diff != "" {
					t.Errorf("%s: %s: %s (-want +got):\n%s", name, request.URL.Path, header, diff)
				}
			}
		}
	}
}

func TestServerFlags(t *testing.T) {
	server := startAPI(t, nil)
	dir := t.TempDir()
	ca := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(ca, server.ca(), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		args []string
		code int
	}{
		"unknown authority": {[]string{"--server", server.URL}, 4},
		"authority":         {[]string{"--server", server.URL, "--certificate-authority", ca}, 0},
		"not checked":       {[]string{"--server", server.URL, "--insecure-skip-tls-verify"}, 0},
		"other name":        {[]string{"--server", server.URL, "--certificate-authority", ca, "--tls-server-name=example.com"}, 0},
		"wrong name":        {[]string{"--server", server.URL, "--certificate-authority", ca, "--tls-server-name=example.org"}, 4},
	} {
		r := finish(t, plugin(t, []string{"KUBECONFIG=" + filepath.Join(dir, "none")}, append(tt.args, "runs", "-n", "ml", "-o", "name")...))
		if r.code != tt.code {
			t.Errorf("%s: got %+v", name, r)
		}
	}
}

// A client certificate comes from the kubeconfig or from the flags.
func TestClientCertificate(t *testing.T) {
	cert, key := clientCertificate(t)
	server := startAPI(t, func(a *api) {
		a.TLS = &tls.Config{ClientAuth: tls.RequestClientCert, MinVersion: tls.VersionTLS12}
		a.admit = func(r *http.Request) int {
			if len(r.TLS.PeerCertificates) == 0 || r.TLS.PeerCertificates[0].Subject.CommonName != "dana" {
				return http.StatusUnauthorized
			}
			return 0
		}
	})
	without := server.kubeconfig(t, nil)
	with := server.kubeconfig(t, func(_ *clientcmdapi.Cluster, user *clientcmdapi.AuthInfo) {
		user.ClientCertificate, user.ClientKey = cert, key
	})
	for name, tt := range map[string]struct {
		args []string
		code int
	}{
		"none":       {[]string{"--kubeconfig", without}, 5},
		"kubeconfig": {[]string{"--kubeconfig", with}, 0},
		"flags":      {[]string{"--kubeconfig", without, "--client-certificate", cert, "--client-key", key}, 0},
	} {
		if r := finish(t, plugin(t, nil, append(tt.args, "runs", "-o", "name")...)); r.code != tt.code {
			t.Errorf("%s: got %+v", name, r)
		}
	}
}

// clientCertificate makes a certificate of dana and returns the files with it and its key.
func clientCertificate(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "dana"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return writeFile(t, "dana.crt", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))),
		writeFile(t, "dana.key", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})))
}

// KUBECONFIG may name several files, of which the first that says something wins.
func TestSeveralKubeconfigs(t *testing.T) {
	server := startAPI(t, func(a *api) { a.admit = bearer("canary-1") })
	whole := server.kubeconfig(t, func(_ *clientcmdapi.Cluster, user *clientcmdapi.AuthInfo) { user.Token = "canary-2" })
	first := writeFile(t, "first", "apiVersion: v1\nkind: Config\nusers: [{name: u, user: {token: canary-1}}]\n")
	for list, code := range map[string]int{
		first + string(filepath.ListSeparator) + whole: 0,
		whole + string(filepath.ListSeparator) + first: 5,
		filepath.Join(t.TempDir(), "none") + string(filepath.ListSeparator) + first + string(filepath.ListSeparator) + whole: 0,
	} {
		if r := finish(t, plugin(t, []string{"KUBECONFIG=" + list}, "runs", "-o", "name")); r.code != code {
			t.Errorf("%s: got %+v", list, r)
		}
	}
}
