package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	authnv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release/fault"
	"github.com/tracebloc/kubectl-tracebloc/e2e/release/internal/spec"
)

const goodConfig = "apiVersion: tracebloc.io/v1\nkind: IngestConfig\ncategory: tabular_classification\ntable: ds_people\nintent: train\ncsv: /data/shared/x.csv\nlabel: label\nschema: {a: INT}\n"

// newServer is a server in front of a fake API server that knows the token "good" of the service account ml/ingestor, and
// "user" of somebody else.
func newServer(t *testing.T) (*server, *fake.Clientset, string) {
	t.Helper()
	client := fake.NewClientset(&corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "mysql-client-1", Namespace: "ml", Labels: map[string]string{"app": "mysql-client"}},
		Status:     corev1.PodStatus{PodIP: "10.1.2.3", Conditions: []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}},
	})
	client.PrependReactor("create", "tokenreviews", func(action clienttesting.Action) (bool, runtime.Object, error) {
		review := action.(clienttesting.CreateAction).GetObject().(*authnv1.TokenReview).DeepCopy()
		switch review.Spec.Token {
		case "good":
			review.Status = authnv1.TokenReviewStatus{Authenticated: true, User: authnv1.UserInfo{Username: "system:serviceaccount:ml:ingestor"}}
		case "user":
			review.Status = authnv1.TokenReviewStatus{Authenticated: true, User: authnv1.UserInfo{Username: "alice"}}
		}
		return true, review, nil
	})
	schema, err := spec.Compile()
	if err != nil {
		t.Fatal(err)
	}
	s := &server{
		client:   client,
		settings: settings{Namespace: "ml", PVC: "client-pvc", MySQLHost: "mysql-client", ClientEnv: "local", ImageRepository: "ghcr.io/tracebloc/ingestor", ImageTag: "0.8", BackoffLimit: 2, Pull: "IfNotPresent"},
		schema:   schema,
		policy:   policy{Allowed: []policyEntry{{ServiceAccount: "ingestor", Namespace: "ml", TablePrefixes: []string{"ds_"}}}},
		faults:   &faultSwitch{},
	}
	srv := httptest.NewServer(s.handler())
	t.Cleanup(srv.Close)
	return s, client, srv.URL
}

type reply struct {
	status int
	text   string
	accepted
	failure
}

func post(t *testing.T, url, token, body string) (reply, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/internal/submit-ingestion-run", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	var buf bytes.Buffer
	if _, err := buf.ReadFrom(resp.Body); err != nil {
		t.Fatal(err)
	}
	r := reply{status: resp.StatusCode, text: buf.String()}
	if err := json.Unmarshal(buf.Bytes(), &r.accepted); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(buf.Bytes(), &r.failure); err != nil {
		t.Fatal(err)
	}
	return r, nil
}

func body(key, config, digest string) string {
	data, err := json.Marshal(map[string]string{"idempotency_key": key, "ingest_config": config, "image_digest": digest})
	if err != nil {
		panic(err)
	}
	return string(data)
}

func TestRefusals(t *testing.T) {
	_, client, url := newServer(t)
	digest := "sha256:" + strings.Repeat("0", 64)
	for _, tc := range []struct {
		name, token, body string
		status            int
		detail            string
	}{
		{"no token", "", body("k", goodConfig, ""), 401, "Bearer"},
		{"bad token", "bad", body("k", goodConfig, ""), 401, "does not accept the token"},
		{"a user's token", "user", body("k", goodConfig, ""), 401, "does not accept the token"},
		{"not JSON", "good", "{", 400, "not the expected JSON"},
		{"no config", "good", `{"idempotency_key":"k"}`, 400, "ingest_config is required"},
		{"no key", "good", `{"ingest_config":"a: 1"}`, 400, "idempotency_key must be"},
		{"long key", "good", body(strings.Repeat("k", 65), goodConfig, ""), 400, "idempotency_key must be"},
		{"key with a space", "good", body("a b", goodConfig, ""), 400, "idempotency_key must be"},
		{"tag as digest", "good", body("k", goodConfig, "0.8"), 400, "tags are not accepted"},
		{"upper-case digest", "good", body("k", goodConfig, "sha256:"+strings.Repeat("A", 64)), 400, "tags are not accepted"},
		{"not YAML", "good", body("k", "a: [", ""), 400, "not valid YAML"},
		{"not a mapping", "good", body("k", "- a", ""), 400, "not a mapping"},
		{"other prefix", "good", body("k", strings.Replace(goodConfig, "ds_people", "people", 1), ""), 403, "service account ml/ingestor may not write table 'people'"},
		{"schema", "good", body("k", goodConfig+"colour: red\n", digest), 400, "Additional properties are not allowed ('colour' was unexpected)"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := post(t, url, tc.token, tc.body)
			if err != nil {
				t.Fatal(err)
			}
			if got.status != tc.status || !strings.Contains(got.Detail, tc.detail) {
				t.Errorf("%d %q, want %d %q", got.status, got.text, tc.status, tc.detail)
			}
		})
	}
	for _, a := range client.Actions() {
		if a.GetVerb() == "create" && a.GetResource().Resource != "tokenreviews" {
			t.Errorf("a refused submit created %s", a.GetResource().Resource)
		}
	}
}

func TestSubmitCreatesTheJobOnce(t *testing.T) {
	_, client, url := newServer(t)
	digest := "sha256:" + strings.Repeat("ab", 32)
	first, err := post(t, url, "good", body("run-1", goodConfig, digest))
	if err != nil || first.status != 201 || first.Replay || first.Namespace != "ml" {
		t.Fatalf("first: %+v %v", first, err)
	}
	again, err := post(t, url, "good", body("run-1", goodConfig, digest))
	if err != nil || again.status != 200 || !again.Replay || again.JobName != first.JobName {
		t.Errorf("replay: %+v %v", again, err)
	}
	for name, b := range map[string]string{"other config": body("run-1", goodConfig+"# more\n", digest), "other digest": body("run-1", goodConfig, "")} {
		if got, err := post(t, url, "good", b); err != nil || got.status != 409 {
			t.Errorf("%s: %+v %v", name, got, err)
		}
	}
	job, err := client.BatchV1().Jobs("ml").Get(t.Context(), first.JobName, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	hash := strings.TrimPrefix(first.JobName, "ingest-job-")
	if len(hash) != 12 {
		t.Errorf("hash %q", hash)
	}
	config, err := client.CoreV1().ConfigMaps("ml").Get(t.Context(), "ingest-config-"+hash, metav1.GetOptions{})
	if err != nil || config.Data["ingest.yaml"] != goodConfig {
		t.Errorf("ConfigMap: %v %v", config, err)
	}
	secret, err := client.CoreV1().Secrets("ml").Get(t.Context(), "ingest-token-"+hash, metav1.GetOptions{})
	if err != nil || secret.StringData["BACKEND_TOKEN"] == "" {
		t.Errorf("Secret: %v", err)
	}
	for name, l := range map[string]map[string]string{"Job": job.Labels, "Pod": job.Spec.Template.Labels, "ConfigMap": config.Labels, "Secret": secret.Labels} {
		if l["tracebloc.io/ingestion-run"] != "run-1" {
			t.Errorf("%s has the labels %v", name, l)
		}
	}
	pod := job.Spec.Template.Spec
	got := []any{*job.Spec.BackoffLimit, pod.RestartPolicy, *pod.SecurityContext.RunAsUser, pod.HostAliases[0], len(pod.Containers), pod.Containers[0].Image}
	want := []any{int32(2), corev1.RestartPolicyOnFailure, int64(65534), corev1.HostAlias{IP: "10.1.2.3", Hostnames: []string{"mysql-client"}}, 1, "ghcr.io/tracebloc/ingestor@" + digest}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	env := map[string]string{}
	for _, e := range pod.Containers[0].Env {
		env[e.Name] = e.Value
	}
	wantEnv := map[string]string{"INGEST_CONFIG": "/etc/tracebloc/ingest/ingest.yaml", "BACKEND_TOKEN": "", "MYSQL_HOST": "mysql-client", "CLIENT_ENV": "local", "TRACEBLOC_INGEST_CORRELATION_ID": "run-1"}
	if diff := cmp.Diff(wantEnv, env); diff != "" {
		t.Error(diff)
	}
}

func TestADeletedJobIsNotMadeAgain(t *testing.T) {
	_, client, url := newServer(t)
	first, err := post(t, url, "good", body("run-1", goodConfig, ""))
	if err != nil {
		t.Fatal(err)
	}
	if err := client.BatchV1().Jobs("ml").Delete(t.Context(), first.JobName, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	again, err := post(t, url, "good", body("run-1", goodConfig, ""))
	if err != nil || again.status != 200 || !again.Replay || again.JobName != first.JobName {
		t.Errorf("replay: %+v %v", again, err)
	}
	if jobs, err := client.BatchV1().Jobs("ml").List(t.Context(), metav1.ListOptions{}); err != nil || len(jobs.Items) != 0 {
		t.Errorf("%d Jobs, %v", len(jobs.Items), err)
	}
}

func TestFaultsOfASubmit(t *testing.T) {
	s, client, url := newServer(t)
	jobs := func() int {
		list, err := client.BatchV1().Jobs("ml").List(context.Background(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return len(list.Items)
	}
	s.faults.set("", &fault.Faults{FailStatus: 503, FailTimes: 2})
	for i, want := range []int{503, 503, 201} {
		if got, err := post(t, url, "good", body("failed", goodConfig, "")); err != nil || got.status != want {
			t.Errorf("try %d: %+v %v, want %d", i, got, err, want)
		}
	}
	s.faults.set("", &fault.Faults{DropBefore: 1, DropAfter: 1})
	if _, err := post(t, url, "good", body("dropped", goodConfig, "")); err == nil || jobs() != 1 {
		t.Errorf("dropped before: error %v, %d Jobs", err, jobs())
	}
	if _, err := post(t, url, "good", body("dropped", goodConfig, "")); err == nil || jobs() != 2 {
		t.Errorf("dropped after: error %v, %d Jobs", err, jobs())
	}
	if got, err := post(t, url, "good", body("dropped", goodConfig, "")); err != nil || got.status != 200 || !got.Replay {
		t.Errorf("after the drops: %+v %v", got, err)
	}
	s.faults.set("", &fault.Faults{Ingestor: fault.Ingestor{Skip: 3, Crash: true, Sleep: fault.Duration(time.Second)}})
	got, err := post(t, url, "good", body("env", goodConfig, ""))
	if err != nil {
		t.Fatal(err)
	}
	job, err := client.BatchV1().Jobs("ml").Get(t.Context(), got.JobName, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprint(job.Spec.Template.Spec.Containers[0].Env)
	if want := `STANDIN_FAULTS {"sleep":"1s","skip":3,"crash":true}`; !strings.Contains(text, want) {
		t.Errorf("no %q in %s", want, text)
	}
}

// Faults of a table touch no other, and those of all tables do not touch it.
func TestFaultsOfATable(t *testing.T) {
	s, client, url := newServer(t)
	other := strings.Replace(goodConfig, "ds_people", "ds_cats", 1)
	limit := resource.MustParse("64Mi")
	s.faults.set("", &fault.Faults{FailStatus: 503, FailTimes: 1})
	s.faults.set("ds_cats", &fault.Faults{DropBefore: 1, Ingestor: fault.Ingestor{Memory: true, MemoryLimit: &limit}})
	if got, err := post(t, url, "good", body("people", goodConfig, "")); err != nil || got.status != 503 {
		t.Errorf("people: %+v %v", got, err)
	}
	if got, err := post(t, url, "good", body("cats", other, "")); err == nil {
		t.Errorf("cats: %+v, want a dropped connection", got)
	}
	got, err := post(t, url, "good", body("cats", other, ""))
	if err != nil || got.status != 201 {
		t.Fatalf("cats again: %+v %v", got, err)
	}
	job, err := client.BatchV1().Jobs("ml").Get(t.Context(), got.JobName, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	container := job.Spec.Template.Spec.Containers[0]
	if memory := container.Resources.Limits.Memory(); !memory.Equal(limit) {
		t.Errorf("memory limit %s", memory)
	}
	value := container.Env[len(container.Env)-1]
	if faults, err := fault.FromEnv(value.Value); err != nil || !faults.Memory {
		t.Errorf("the container has %+v: %+v %v", value, faults, err)
	}
	s.faults.set("ds_cats", nil)
	if now := s.faults.current("ds_cats"); now.FailStatus != 503 {
		t.Errorf("the faults of all tables do not count again: %+v", now)
	}
}

func TestHealthAndFaultEndpoint(t *testing.T) {
	s, _, url := newServer(t)
	admin := httptest.NewServer(s.faults.handler())
	defer admin.Close()
	call := func(method, url, body string) (int, string) {
		req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		var buf bytes.Buffer
		if _, err := buf.ReadFrom(resp.Body); err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, strings.TrimSpace(buf.String())
	}
	if status, text := call("GET", url+"/healthz", ""); status != 200 || text != `{"status":"ok"}` {
		t.Errorf("%d %s", status, text)
	}
	if status, text := call("PUT", admin.URL+"/faults", `{"unhealthy":true,"delayAfter":"1.5s"}`); status != 200 || text != `{"delayAfter":"1.5s","unhealthy":true}` {
		t.Errorf("%d %s", status, text)
	}
	if status, _ := call("GET", url+"/healthz", ""); status != 503 {
		t.Errorf("unhealthy: %d", status)
	}
	if status, _ := call("PUT", admin.URL+"/faults", `{"typo":1}`); status != 400 {
		t.Errorf("unknown fault: %d", status)
	}
	if status, text := call("PUT", admin.URL+"/faults?table=cats", `{"dropAfter":2}`); status != 200 || text != `{"dropAfter":2}` {
		t.Errorf("of a table: %d %s", status, text)
	}
	if status, text := call("GET", admin.URL+"/faults?table=dogs", ""); status != 200 || text != `{"delayAfter":"1.5s","unhealthy":true}` {
		t.Errorf("of another table: %d %s", status, text)
	}
	if status, text := call("DELETE", admin.URL+"/faults", ""); status != 200 || text != `{}` {
		t.Errorf("%d %s", status, text)
	}
	if status, _ := call("GET", url+"/healthz", ""); status != 200 {
		t.Errorf("healthy again: %d", status)
	}
}

func TestImageResolution(t *testing.T) {
	base := settings{ImageRepository: "repo", ImageTag: "0.8", ImageDigest: "sha256:1", Pull: "IfNotPresent"}
	byTag, none, real := base, base, base
	byTag.ImageDigest = ""
	none.ImageDigest, none.ImageTag = "", ""
	real.ImageDigest, real.Pull = "", ""
	for _, tc := range []struct {
		s             settings
		digest        string
		wantRef, pull string
	}{
		{base, "", "repo@sha256:1", "IfNotPresent"},
		{base, "sha256:2", "repo@sha256:2", "IfNotPresent"},
		{byTag, "", "repo:0.8", "IfNotPresent"},
		{real, "", "repo:0.8", "Always"},
		{none, "", "", ""},
	} {
		if ref, pull := tc.s.image(tc.digest); ref != tc.wantRef || pull != tc.pull {
			t.Errorf("image(%q) = %q, %q; want %q, %q", tc.digest, ref, pull, tc.wantRef, tc.pull)
		}
	}
}

func TestLabel(t *testing.T) {
	for key, want := range map[string]string{"abc": "abc", strings.Repeat("k", 64): strings.Repeat("k", 63), "-x-": "x"} {
		if got := (run{Key: key}).label(); got != want {
			t.Errorf("label of %q = %q, want %q", key, got, want)
		}
	}
}
