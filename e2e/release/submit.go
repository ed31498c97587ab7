package release

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	authnv1 "k8s.io/api/authentication/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release/fault"
)

// Submission is the body of a submit by hand, contract/cluster.md §2.2.
type Submission struct {
	IngestConfig   string `json:"ingest_config"`
	IdempotencyKey string `json:"idempotency_key"`
	ImageDigest    string `json:"image_digest,omitempty"`
}

// Answer is what jobs-manager said.
type Answer struct {
	Status    int    `json:"-"`
	Body      string `json:"-"`
	JobName   string `json:"job_name"`
	Namespace string `json:"namespace"`
	Replay    bool   `json:"replay"`
	Detail    string `json:"detail"`
}

// Token mints a token of a service account of the release's namespace.
func (r *Release) Token(ctx context.Context, account string) (string, error) {
	t, err := r.Client.CoreV1().ServiceAccounts(r.Options.Namespace).CreateToken(ctx, account, &authnv1.TokenRequest{}, metav1.CreateOptions{})
	if err != nil {
		return "", fmt.Errorf("mint a token of %q: %w", account, err)
	}
	return t.Status.Token, nil
}

// Submit posts to jobs-manager through a port-forward. An answer of any status is no error.
func (r *Release) Submit(ctx context.Context, token string, s Submission) (Answer, error) {
	body, err := json.Marshal(s)
	if err != nil {
		return Answer{}, err
	}
	return r.call(ctx, 8080, http.MethodPost, "/internal/submit-ingestion-run", token, body)
}

// Health is the answer of GET /healthz.
func (r *Release) Health(ctx context.Context) (Answer, error) {
	return r.call(ctx, 8080, http.MethodGet, "/healthz", "", nil)
}

// SetFaults switches faults on for all tables until the jobs-manager Pod restarts; the zero value switches them off.
func (r *Release) SetFaults(ctx context.Context, f fault.Faults) error {
	return r.SetTableFaults(ctx, "", f)
}

// SetTableFaults is SetFaults for the submits of one table, so that several tests can break one release side by side.
func (r *Release) SetTableFaults(ctx context.Context, table string, f fault.Faults) error {
	body, err := json.Marshal(f)
	if err != nil {
		return err
	}
	path := "/faults"
	if table != "" {
		path += "?table=" + url.QueryEscape(table)
	}
	a, err := r.call(ctx, fault.Port, http.MethodPut, path, "", body)
	if err == nil && a.Status != http.StatusOK {
		err = fmt.Errorf("status %d: %q", a.Status, a.Body)
	}
	if err != nil {
		return fmt.Errorf("set faults: %w", err)
	}
	return nil
}

// call makes one HTTP request to the Ready jobs-manager Pod.
func (r *Release) call(ctx context.Context, port int, method, path, token string, body []byte) (Answer, error) {
	pod, err := r.ReadyPod(ctx, "manager")
	if err != nil {
		return Answer{}, err
	}
	address, done, err := r.Forward(ctx, pod, port)
	if err != nil {
		return Answer{}, err
	}
	defer done()
	req, err := http.NewRequestWithContext(ctx, method, "http://"+address+path, bytes.NewReader(body))
	if err != nil {
		return Answer{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return Answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return Answer{}, err
	}
	a := Answer{Status: resp.StatusCode, Body: string(data)}
	if err := json.Unmarshal(data, &a); err != nil {
		return a, fmt.Errorf("%s %s: status %d: not JSON: %q", method, path, resp.StatusCode, data)
	}
	return a, nil
}

// Outcome is how a Job ended.
type Outcome struct {
	Succeeded bool
	Reason    string // of the Job's Failed condition
	ExitCode  int32  // of the ingestor's last attempt; -1 when its Pod is gone
	Log       string // of that attempt, stdout and stderr as Kubernetes merges them
}

// WaitJob follows a Job to its end. A Job that has used up its tries takes its Pod with it, so the log is read as it grows.
func (r *Release) WaitJob(ctx context.Context, name string) (Outcome, error) {
	out := Outcome{ExitCode: -1}
	err := wait.PollUntilContextCancel(ctx, 200*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		job, err := r.Client.BatchV1().Jobs(r.Options.Namespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		if err := r.lastAttempt(ctx, name, &out); err != nil {
			return false, err
		}
		for _, c := range job.Status.Conditions {
			if c.Status == corev1.ConditionTrue && (c.Type == batchv1.JobComplete || c.Type == batchv1.JobFailed) {
				out.Succeeded, out.Reason = c.Type == batchv1.JobComplete, c.Reason
				return true, nil
			}
		}
		return false, nil
	})
	if err != nil {
		return out, fmt.Errorf("wait for Job %q: %w", name, err)
	}
	return out, nil
}

// lastAttempt keeps the log and exit code of the newest attempt that has ended.
func (r *Release) lastAttempt(ctx context.Context, job string, out *Outcome) error {
	pods, err := r.Client.CoreV1().Pods(r.Options.Namespace).List(ctx, metav1.ListOptions{LabelSelector: batchv1.JobNameLabel + "=" + job})
	if err != nil {
		return err
	}
	for _, p := range pods.Items {
		for _, c := range p.Status.ContainerStatuses {
			ended, previous := c.State.Terminated, false
			if ended == nil {
				ended, previous = c.LastTerminationState.Terminated, true
			}
			if ended == nil {
				continue
			}
			data, err := r.Client.CoreV1().Pods(p.Namespace).GetLogs(p.Name, &corev1.PodLogOptions{Container: c.Name, Previous: previous}).DoRaw(ctx)
			// Between two attempts the kubelet has removed the one log and not begun the other: it says so in the body, with status 200.
			gone := len(data) == 0 || strings.HasPrefix(string(data), "unable to retrieve container logs for ") ||
				strings.HasPrefix(string(data), "failed to try resolving symlinks in path ")
			if err == nil && !gone {
				out.Log, out.ExitCode = string(data), ended.ExitCode
			} else if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
				return err
			}
		}
	}
	return nil
}
