package link

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// writeConfig writes a kubeconfig of a server, with a second context that a link must leave out.
func writeConfig(t *testing.T, server, proxy string, ca []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), "ca.crt"), ca, 0o600); err != nil {
		t.Fatal(err)
	}
	config := clientcmdapi.NewConfig()
	config.Clusters["far"] = &clientcmdapi.Cluster{Server: server, ProxyURL: proxy, CertificateAuthority: "ca.crt"}
	config.Clusters["other"] = &clientcmdapi.Cluster{Server: "https://other"}
	config.AuthInfos["user"] = &clientcmdapi.AuthInfo{Token: "secret"}
	config.Contexts["context"] = &clientcmdapi.Context{Cluster: "far", AuthInfo: "user", Namespace: "ml"}
	config.Contexts["another"] = &clientcmdapi.Context{Cluster: "other", AuthInfo: "user"}
	config.CurrentContext = "context"
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// A client goes through the link with the checks that it had: the server's certificate and name, its own token.
func TestToCluster(t *testing.T) {
	var token string
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token = r.Header.Get("Authorization")
		if r.URL.Path != "/clusters/one/version" {
			t.Errorf("asked for %q", r.URL.Path)
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"gitVersion":"v1.36.0"}`))
	}))
	t.Cleanup(server.Close)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	path := filepath.Join(t.TempDir(), "link")
	p, err := ToCluster(writeConfig(t, server.URL+"/clusters/one", "", ca), path, Shape{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	config, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		t.Fatal(err)
	}
	if want := "https://" + p.Address() + "/clusters/one"; config.Host != want || config.ServerName != "127.0.0.1" || config.Insecure {
		t.Errorf("the server is %q by the name %q, unchecked %t; want %q", config.Host, config.ServerName, config.Insecure, want)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	version, err := client.Discovery().ServerVersion()
	if err != nil || version.GitVersion != "v1.36.0" || token != "Bearer secret" {
		t.Errorf("got %v with %q, %v", version, token, err)
	}
	if p.Sent() == 0 || p.Received() == 0 {
		t.Errorf("%d bytes were sent and %d received through the link", p.Sent(), p.Received())
	}
	all, err := clientcmd.LoadFromFile(path)
	if err != nil || len(all.Contexts) != 1 || len(all.Clusters) != 1 || all.Contexts["context"].Namespace != "ml" {
		t.Errorf("the kubeconfig of the link has %+v, %v", all, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("it has secrets, and is %v, %v", info.Mode(), err)
	}
}

func TestToClusterNeedsTheWayItself(t *testing.T) {
	for name, c := range map[string]struct{ server, proxy, want string }{
		"a proxy": {"https://127.0.0.1:1", "http://proxy.example", "proxy-url"},
		"no URL":  {"https://[::1", "", "server"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ToCluster(writeConfig(t, c.server, c.proxy, nil), filepath.Join(t.TempDir(), "link"), Shape{})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want something about %s", err, c.want)
			}
		})
	}
	if _, err := ToCluster(filepath.Join(t.TempDir(), "missing"), filepath.Join(t.TempDir(), "link"), Shape{}); err == nil {
		t.Error("no error for a kubeconfig that is not there")
	}
}
