package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"k8s.io/client-go/kubernetes"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release/fault"
	"github.com/tracebloc/kubectl-tracebloc/e2e/release/internal/pyyaml"
	"github.com/tracebloc/kubectl-tracebloc/e2e/release/internal/spec"
)

type server struct {
	client   kubernetes.Interface
	settings settings
	schema   *spec.Schema
	policy   policy
	faults   *faultSwitch
	mu       sync.Mutex // one submit creates its objects at a time
}

// submission is the request body, contract/cluster.md §2.2.
type submission struct {
	IngestConfig   *string `json:"ingest_config"`
	IdempotencyKey *string `json:"idempotency_key"`
	ImageDigest    string  `json:"image_digest"`
}

// accepted is the answer to a run that was created or is there already.
type accepted struct {
	JobName   string `json:"job_name"`
	Namespace string `json:"namespace"`
	Replay    bool   `json:"replay"`
}

// failure is the error body: clients show it and must not depend on its form, which the contract leaves open.
type failure struct {
	Error  string `json:"error"`
	Detail string `json:"detail"`
}

// refusal is an answer that is not an accepted run.
type refusal struct {
	status int
	failure
}

func (r *refusal) Error() string { return r.Detail }

func refuse(status int, kind, detail string) error {
	return &refusal{status: status, failure: failure{Error: kind, Detail: detail}}
}

const maxBody = 4 << 20 // bytes; the real limit is not public, and a ConfigMap holds 1 MiB

var (
	keyForm    = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)
	digestForm = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
)

func (s *server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /internal/submit-ingestion-run", s.submit)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		if s.faults.current("").Unhealthy {
			writeJSON(w, http.StatusServiceUnavailable, map[string]string{"status": "unavailable", "metadata_db": "unreachable"})
			return
		}
		writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	return mux
}

func (s *server) submit(w http.ResponseWriter, r *http.Request) {
	// The whole body is read first: its table says which faults count, and only then is the end of the client noticed.
	data, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil {
		writeJSON(w, http.StatusBadRequest, failure{Error: "bad_request", Detail: "the body was cut off"})
		return
	}
	table := submittedTable(data)
	f := s.faults.current(table)
	if !pause(r.Context(), time.Duration(f.DelayBefore)) {
		return
	}
	if s.faults.take(table, func(f *fault.Faults) *int { return &f.DropBefore }) {
		drop(w)
		return
	}
	if f.FailStatus != 0 && s.faults.take(table, func(f *fault.Faults) *int { return &f.FailTimes }) {
		writeJSON(w, f.FailStatus, failure{Error: "fault", Detail: "the stand-in was told to fail this submit"})
		return
	}
	// A client that has gone does not undo what it asked for: the real server finishes as well.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 30*time.Second)
	defer cancel()
	answer, err := s.accept(ctx, r.Header.Get("Authorization"), data, f.Ingestor)
	if err != nil {
		var no *refusal
		if !errors.As(err, &no) {
			no = &refusal{status: http.StatusInternalServerError, failure: failure{Error: "internal", Detail: err.Error()}}
		}
		logf("submit refused: %d %q", no.status, no.Detail)
		writeJSON(w, no.status, no.failure)
		return
	}
	logf("submit accepted: job %q replay %v", answer.JobName, answer.Replay)
	if !pause(r.Context(), time.Duration(f.DelayAfter)) {
		return
	}
	if s.faults.take(table, func(f *fault.Faults) *int { return &f.DropAfter }) {
		drop(w)
		return
	}
	status := http.StatusCreated
	if answer.Replay {
		status = http.StatusOK
	}
	writeJSON(w, status, answer)
}

// accept goes in the order of the contract: token, body, authz, schema, image, objects.
func (s *server) accept(ctx context.Context, authorization string, data []byte, faults fault.Ingestor) (accepted, error) {
	token, ok := strings.CutPrefix(authorization, "Bearer ")
	if !ok || token == "" {
		return accepted{}, refuse(http.StatusUnauthorized, "unauthorized", "Authorization: Bearer <service account token> is required")
	}
	who, ok, err := review(ctx, s.client, token)
	if err != nil {
		return accepted{}, err
	}
	if !ok {
		return accepted{}, refuse(http.StatusUnauthorized, "unauthorized", "the API server does not accept the token")
	}
	sub, err := readBody(data)
	if err != nil {
		return accepted{}, err
	}
	doc, problem := s.parse(*sub.IngestConfig)
	table, _ := doc.Values["table"].(string)
	if problem == nil && !s.policy.allows(who, table) {
		return accepted{}, refuse(http.StatusForbidden, "forbidden", "service account "+who.Namespace+"/"+who.Name+" may not write table "+spec.PyString(table))
	}
	if problem == nil {
		problem = s.check(doc)
	}
	if problem != nil {
		return accepted{}, problem
	}
	image, pull := s.settings.image(sub.ImageDigest)
	if image == "" {
		return accepted{}, refuse(http.StatusServiceUnavailable, "image_unresolved", "INGESTOR_IMAGE_DIGEST is empty and there is no tag")
	}
	env, err := faults.Env()
	if err != nil {
		return accepted{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.spawn(ctx, run{Key: *sub.IdempotencyKey, Config: *sub.IngestConfig, ImageDigest: sub.ImageDigest, Image: image, Pull: pull,
		MemoryLimit: faults.MemoryLimit, FaultEnv: env})
}

// submittedTable is the table of a request body, empty where it has none that could be read.
func submittedTable(data []byte) string {
	var sub submission
	if json.Unmarshal(data, &sub) != nil || sub.IngestConfig == nil {
		return ""
	}
	v, err := pyyaml.Decode([]byte(*sub.IngestConfig))
	doc, ok := v.(pyyaml.Map)
	if err != nil || !ok {
		return ""
	}
	table, _ := doc.Values["table"].(string)
	return table
}

func readBody(data []byte) (submission, error) {
	if len(data) > maxBody {
		return submission{}, refuse(http.StatusRequestEntityTooLarge, "too_large", "the body is too large")
	}
	var sub submission
	if err := json.Unmarshal(data, &sub); err != nil {
		return submission{}, refuse(http.StatusBadRequest, "bad_request", "the body is not the expected JSON: "+err.Error())
	}
	switch {
	case sub.IngestConfig == nil || *sub.IngestConfig == "":
		return submission{}, refuse(http.StatusBadRequest, "bad_request", "ingest_config is required")
	case sub.IdempotencyKey == nil || !keyForm.MatchString(*sub.IdempotencyKey):
		return submission{}, refuse(http.StatusBadRequest, "bad_request", "idempotency_key must be 1 to 64 characters of [A-Za-z0-9._-]")
	case sub.ImageDigest != "" && !digestForm.MatchString(sub.ImageDigest):
		return submission{}, refuse(http.StatusBadRequest, "bad_request", "image_digest must be sha256:<64 lower-case hex digits>; tags are not accepted")
	}
	return sub, nil
}

func (s *server) parse(config string) (pyyaml.Map, error) {
	v, err := pyyaml.Decode([]byte(config))
	if err != nil {
		return pyyaml.Map{}, refuse(http.StatusBadRequest, "invalid_ingest_config", "ingest_config is not valid YAML: "+err.Error())
	}
	doc, ok := v.(pyyaml.Map)
	if !ok {
		return pyyaml.Map{}, refuse(http.StatusBadRequest, "invalid_ingest_config", "ingest_config is not a mapping")
	}
	return doc, nil
}

func (s *server) check(doc pyyaml.Map) error {
	var lines []string
	for _, p := range s.schema.Check(doc) {
		lines = append(lines, p.String())
	}
	if len(lines) == 0 {
		return nil
	}
	return refuse(http.StatusBadRequest, "invalid_ingest_config", strings.Join(lines, "; "))
}

// pause waits, and says whether the client is still there.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// drop closes the connection without an answer.
func drop(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		logf("drop the connection: %v", err)
		return
	}
	_ = conn.Close()
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
