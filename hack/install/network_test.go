//go:build unix

package install

import (
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// clients are machines with nothing but one program that downloads.
func clients(t testing.TB) map[string]func(t testing.TB) *machine {
	t.Helper()
	dash, bash := openShells(t)[0], openShells(t)[1]
	all := map[string]func(t testing.TB) *machine{
		"curl": func(t testing.TB) *machine { return newMachine(t, dash, usual) },
		"wget": func(t testing.TB) *machine { return newMachine(t, bash, basics+" wget sha256sum") },
	}
	if runtime.GOOS != "linux" {
		return all
	}
	for _, sh := range shells(t)[2:] {
		all[sh.name+" alone"] = func(t testing.TB) *machine { return newMachine(t, sh, "") }
		all[sh.name+" wget"] = func(t testing.TB) *machine {
			m := newMachine(t, dash, basics+" sha256sum")
			if err := os.Symlink(sh.argv[0], filepath.Join(m.bin, "wget")); err != nil {
				t.Fatal(err)
			}
			return m
		}
	}
	return all
}

func eachClient(t *testing.T, test func(t *testing.T, m *machine)) {
	t.Helper()
	for name, client := range clients(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, client(t))
		})
	}
}

func TestClients(t *testing.T) {
	server := newServer(t)
	eachClient(t, func(t *testing.T, m *machine) {
		m.run(t, "--base-url", server.base(), "--prefix", m.home).want(t, 0)
		wantInstalled(t, filepath.Join(m.home, "bin"), version)
		m.run(t, "--base-url", server.base(), "--prefix", m.home, "--version", "9.9.9").want(t, 1, `/download/v9.9.9/SHA256SUMS"; nothing was installed`, "404")
		m.run(t, "--base-url", "http://127.0.0.1:1/releases", "--prefix", m.home).want(t, 1, "cannot find the newest release")
		wantInstalled(t, filepath.Join(m.home, "bin"), version)
	})
}

// The newest version is what a redirect says, which somebody else may have written.
func TestRedirectsToNoVersion(t *testing.T) {
	for _, location := range []string{
		"/releases", "/releases/tag/", "/releases/tag/1.2.3", "/releases/tag/v1.2", "/releases/tag/v1.2.3/../../x", "/releases/tag/v1.2.3/../v1.2.4",
		"/releases/tag/v1.2.3%2f..", "/releases/tag/v1.2.3?x=/", "/releases/tag/$(id)", "/releases/tag/`id`", "/releases/tag/-rf", "/releases/tag/*", "",
	} {
		t.Run(location, func(t *testing.T) {
			server := newServer(t)
			server.latest = location
			eachClient(t, func(t *testing.T, m *machine) {
				m.run(t, "--base-url", server.base(), "--prefix", filepath.Join(m.home, "p")).want(t, 1,
					"cannot find the newest release", "--version vX.Y.Z")
				wantUntouched(t, filepath.Join(m.home, "p"))
			})
			t.Cleanup(func() {
				for _, request := range server.asked() {
					if strings.Contains(request, "download") {
						t.Errorf("asked for %s", request)
					}
				}
			})
		})
	}
}

// proxy passes every host on to one server, and notes what it was asked for.
type proxy struct {
	*httptest.Server
	mu   sync.Mutex
	seen []string
}

func newProxy(t testing.TB, to *server) *proxy {
	t.Helper()
	p := &proxy{}
	target := to.Listener.Addr().String()
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.seen = append(p.seen, r.Method+" "+r.URL.Host)
		p.mu.Unlock()
		if r.Method == http.MethodConnect {
			tunnel(t, w, target)
			return
		}
		onward := r.Clone(r.Context())
		onward.URL.Host, onward.RequestURI = target, ""
		response, err := http.DefaultTransport.RoundTrip(onward)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer func() { _ = response.Body.Close() }()
		for name, values := range response.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(response.StatusCode)
		_, _ = io.Copy(w, response.Body)
	}))
	t.Cleanup(p.Close)
	return p
}

// tunnel is what CONNECT makes of a connection.
func tunnel(t testing.TB, w http.ResponseWriter, target string) {
	server, err := net.Dial("tcp", target)
	if err != nil {
		t.Error(err)
		return
	}
	defer func() { _ = server.Close() }()
	client, buffered, err := w.(http.Hijacker).Hijack()
	if err != nil {
		t.Error(err)
		return
	}
	defer func() { _ = client.Close() }()
	_, _ = io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n")
	go func() {
		_, _ = io.Copy(server, buffered)
		_ = server.(*net.TCPConn).CloseWrite()
	}()
	_, _ = io.Copy(client, server)
}

func (p *proxy) wantSeen(t testing.TB, want string) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.Contains(p.seen, want) {
		t.Errorf("the proxy saw %q, want %s among them", p.seen, want)
	}
}

func TestProxyOfAMirror(t *testing.T) {
	server := newServer(t)
	eachClient(t, func(t *testing.T, m *machine) {
		p := newProxy(t, server)
		m.env = []string{"http_proxy=" + p.URL}
		m.run(t, "--base-url", "http://u:secret@mirror.invalid/releases", "--prefix", m.home).want(t, 0, `"http://mirror.invalid/releases" is not https`)
		p.wantSeen(t, "GET mirror.invalid")
	})
}

// trust lets curl and wget know the certificate of the server, which is for example.com.
func trust(t testing.TB, m *machine, s *server) {
	t.Helper()
	file := filepath.Join(m.root, "ca.pem")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(file, certificate, 0o644); err != nil {
		t.Fatal(err)
	}
	wgetrc := filepath.Join(m.root, "wgetrc")
	if err := os.WriteFile(wgetrc, []byte("ca_certificate = "+file+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	m.env = append(m.env, "CURL_CA_BUNDLE="+file, "WGETRC="+wgetrc)
}

// https with a proxy, by either spelling, as GitHub is reached from most companies.
func TestProxyOfHTTPS(t *testing.T) {
	server := newTLSServer(t)
	for _, name := range []string{"curl", "wget"} {
		for _, variable := range []string{"https_proxy", "HTTPS_PROXY"} {
			t.Run(name+" "+variable, func(t *testing.T) {
				m := clients(t)[name](t)
				p := newProxy(t, server)
				m.env = []string{variable + "=" + p.URL}
				m.run(t, "--base-url", "https://releases.example.com/releases", "--prefix", m.home).want(t, 1)
				wantUntouched(t, filepath.Join(m.home, "bin"))
				trust(t, m, server)
				got := m.run(t, "--base-url", "https://releases.example.com/releases", "--prefix", m.home)
				got.want(t, 0)
				if strings.Contains(got.stderr, "not https") {
					t.Errorf("warns of http:\n%s", got.stderr)
				}
				wantInstalled(t, filepath.Join(m.home, "bin"), version)
				p.wantSeen(t, "CONNECT releases.example.com:443")
			})
		}
	}
}

// Whoever is on the way has no certificate; every client has to notice, or to be refused.
func TestCertificatesThatNobodyKnows(t *testing.T) {
	server := newTLSServer(t)
	eachClient(t, func(t *testing.T, m *machine) {
		for _, args := range [][]string{nil, {"--version", version}} {
			got := m.run(t, append([]string{"--base-url", server.base(), "--prefix", filepath.Join(m.home, "p")}, args...)...)
			if got.code == 0 {
				t.Errorf("installed from a server without a known certificate:\n%s", got.stderr)
			}
			if strings.HasPrefix(path.Base(t.Name()), "busybox") {
				got.want(t, 3, "this wget does not check certificates")
			}
			wantUntouched(t, filepath.Join(m.home, "p"))
		}
	})
}

// What began with https must not go on without, wherever it is redirected to.
func TestRedirectsThatLeaveHTTPS(t *testing.T) {
	plain, server := newServer(t), newTLSServer(t)
	server.answer = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/releases/latest" {
			return false
		}
		http.Redirect(w, r, plain.URL+r.URL.Path, http.StatusFound)
		return true
	}
	for _, name := range []string{"curl", "wget"} {
		t.Run(name, func(t *testing.T) {
			m := clients(t)[name](t)
			trust(t, m, server)
			m.run(t, "--base-url", server.base(), "--version", version, "--prefix", filepath.Join(m.home, "p")).want(t, 1, "nothing was installed")
			wantUntouched(t, filepath.Join(m.home, "p"))
		})
	}
}

// A connection that ends in the middle of the archive.
func TestDownloadThatBreaks(t *testing.T) {
	server := newServer(t)
	server.answer = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/assets/"+version+"/"+archive(version) {
			return false
		}
		content := server.file(version + "/" + archive(version))
		connection, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return true
		}
		defer func() { _ = connection.Close() }()
		_, _ = fmt.Fprintf(connection, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(content), content[:len(content)/2])
		return true
	}
	eachClient(t, func(t *testing.T, m *machine) {
		m.run(t, "--base-url", server.base(), "--prefix", filepath.Join(m.home, "p")).want(t, 1, "nothing was installed")
		wantUntouched(t, filepath.Join(m.home, "p"))
	})
}

// Ctrl-C and kill in the middle of the archive.
func TestInterrupted(t *testing.T) {
	for _, tc := range []struct {
		signal syscall.Signal
		code   int
	}{{syscall.SIGINT, 130}, {syscall.SIGTERM, 143}, {syscall.SIGHUP, 129}} {
		t.Run(tc.signal.String(), func(t *testing.T) {
			each(t, shells(t), func(t *testing.T, sh shell) {
				server := newServer(t)
				arrived := make(chan struct{})
				server.answer = func(w http.ResponseWriter, r *http.Request) bool {
					if r.URL.Path != "/assets/"+version+"/"+archive(version) {
						return false
					}
					_, _ = w.Write([]byte("half"))
					w.(http.Flusher).Flush()
					close(arrived)
					<-r.Context().Done()
					return true
				}
				m := newMachine(t, sh, usual)
				c := m.command(t, "", "--base-url", server.base(), "--prefix", filepath.Join(m.home, "p"))
				if err := c.Start(); err != nil {
					t.Fatal(err)
				}
				<-arrived
				// A terminal sends it to the whole group.
				if err := syscall.Kill(-c.Process.Pid, tc.signal); err != nil {
					t.Fatal(err)
				}
				_ = c.Wait()
				if code := c.ProcessState.ExitCode(); code != tc.code {
					t.Errorf("exit code %d, want %d (%v)", code, tc.code, c.ProcessState)
				}
				m.clean(t)
				wantUntouched(t, filepath.Join(m.home, "p"))
			})
		})
	}
}
