//go:build unix

package stage

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/tracebloc/kubectl-tracebloc/pkg/podio/podiotest"
)

var podsResource = schema.GroupResource{Resource: "pods"}

// passing are the refusals of an API server that is upgraded, busy, or has lost the node for a while.
func passing() map[string]*apierrors.StatusError {
	return map[string]*apierrors.StatusError{
		"unavailable": apierrors.NewServiceUnavailable("shutting down"),
		"busy":        apierrors.NewTooManyRequestsError("slow down"),
		"internal":    apierrors.NewInternalError(errors.New("error dialing backend: EOF")),
		"bad gateway": apierrors.NewGenericServerResponse(http.StatusBadGateway, "get", podsResource, "stage", "bad gateway", 0, true),
		"not found":   apierrors.NewNotFound(podsResource, "stage"), // while nobody can tell that the Pod is gone
	}
}

// TestStreamsRefusedForAWhile: the API server cuts every connection in mid-transfer and refuses new ones, then it is back.
func TestStreamsRefusedForAWhile(t *testing.T) {
	t.Parallel()
	files := scatter(40, 20_000)
	podiotest.EachTransport(t, func(t *testing.T, options podiotest.Options) {
		var names []string
		for name := range passing() {
			names = append(names, name)
		}
		together(t, names, strings.Clone, func(t *testing.T, name string) {
			var refusals atomic.Int64
			var away atomic.Bool
			options := options
			options.Refuse = func(*http.Request) *metav1.Status {
				if !away.Load() || refusals.Add(1) > 10 {
					return nil
				}
				return &passing()[name].ErrStatus
			}
			s := serve(t, options)
			d := write(t, files)
			p := fine(s.plan(t, d))
			planted := s.plant(t, p)
			told := ""
			report, err := s.push(t.Context(), t, p, d, Options{
				Progress: func(p Progress) {
					if p.Files > 0 && away.CompareAndSwap(false, true) {
						s.Strike(podiotest.Reset)
					}
				},
				Notify: func(line string) { told += line + "\n" },
			})
			if err != nil {
				t.Fatalf("%v after %d refusals", err, refusals.Load())
			}
			s.wantOnly(t, p, files, planted)
			wantReport(t, report, p, 1, int64(len(older)))
			if report.Retries == 0 || refusals.Load() < 10 {
				t.Errorf("%d refusals: %+v", refusals.Load(), report)
			}
			if strings.Contains(told, "\x1b") || strings.Count(told, "\n") > 20 {
				t.Errorf("the user was told %q", told)
			}
		})
	})
}

// TestStreamsForbiddenAtFirst: an API server that has just started refuses everybody for a moment.
func TestStreamsForbiddenAtFirst(t *testing.T) {
	t.Parallel()
	files := scatter(20, 20_000)
	podiotest.EachTransport(t, func(t *testing.T, options podiotest.Options) {
		var away atomic.Bool
		var refusals atomic.Int64
		options.Refuse = func(*http.Request) *metav1.Status {
			if !away.Load() || refusals.Add(1) > 6 {
				return nil
			}
			return &apierrors.NewForbidden(podsResource, "stage", errors.New("no roles are known yet")).ErrStatus
		}
		s := serve(t, options)
		d := write(t, files)
		p := fine(s.plan(t, d))
		report, err := s.push(t.Context(), t, p, d, Options{Parallel: 4, Progress: func(p Progress) {
			if p.Files > 0 && away.CompareAndSwap(false, true) {
				s.Strike(podiotest.Cut)
			}
		}})
		if err != nil || report.Retries == 0 || refusals.Load() == 0 {
			t.Errorf("%v, %+v, %d refusals", err, report, refusals.Load())
		}
		s.wait(t)
		wantTree(t, p, files)
	})
}

// TestStreamsForbidden: what the API server will not allow later either ends the push soon, and what has arrived stays for the next one.
func TestStreamsForbidden(t *testing.T) {
	t.Parallel()
	final := []struct {
		name string
		err  *apierrors.StatusError
		is   func(error) bool
	}{
		{"forbidden", apierrors.NewForbidden(podsResource, "stage", errors.New("no exec")), apierrors.IsForbidden},
		{"unauthorized", apierrors.NewUnauthorized("the token has expired"), apierrors.IsUnauthorized},
	}
	files := scatter(40, 20_000)
	podiotest.EachTransport(t, func(t *testing.T, options podiotest.Options) {
		for _, f := range final {
			t.Run(f.name, func(t *testing.T) {
				var away atomic.Bool
				var refusals atomic.Int64
				options := options
				options.Refuse = func(*http.Request) *metav1.Status {
					if !away.Load() {
						return nil
					}
					refusals.Add(1)
					return &f.err.ErrStatus
				}
				s := serve(t, options)
				d := write(t, files)
				p := fine(s.plan(t, d))
				planted := s.plant(t, p)
				first, err := s.push(t.Context(), t, p, d, Options{Parallel: 4, Progress: func(p Progress) {
					if p.Files > 0 && away.CompareAndSwap(false, true) {
						s.Strike(podiotest.Cut)
					}
				}})
				if !f.is(err) {
					t.Errorf("got %v", err)
				}
				// Each session asks over both transports, and some times in deniedAfter.
				if n := refusals.Load(); n == 0 || n > 2*4*8 {
					t.Errorf("asked %d times", n)
				}
				s.wait(t)
				if tree := contents(t, p.Dir()); tree != nil {
					t.Errorf("published %d files", len(tree))
				}
				away.Store(false)
				second, err := s.push(t.Context(), t, p, d, Options{})
				if err != nil {
					t.Fatal(err)
				}
				s.wantOnly(t, p, files, planted)
				if second.TakenOverFiles < first.Files || second.Retries != 0 {
					t.Errorf("%d files had arrived, the next push %+v", first.Files, second)
				}
			})
		}
	})
}

// TestStreamsResetOnConnect: connections that are dropped as soon as they are made are made again.
func TestStreamsResetOnConnect(t *testing.T) {
	t.Parallel()
	files := scatter(20, 20_000)
	podiotest.EachTransport(t, func(t *testing.T, options podiotest.Options) {
		options.Fault = func(connection int) *podiotest.Fault {
			if connection > 2 && connection%3 == 0 {
				return nil
			}
			return &podiotest.Fault{Kind: podiotest.Reset}
		}
		if options.NoWebSocket {
			options.Fault = func(connection int) *podiotest.Fault {
				if connection > 3 {
					return nil
				}
				return &podiotest.Fault{Kind: podiotest.Reset}
			}
		}
		s := serve(t, options)
		d := write(t, files)
		p := fine(s.plan(t, d))
		planted := s.plant(t, p)
		report, err := s.push(t.Context(), t, p, d, Options{Parallel: 4})
		if err != nil {
			t.Fatal(err)
		}
		s.wantOnly(t, p, files, planted)
		wantReport(t, report, p, 1, int64(len(older)))
		if report.Retries < 2 {
			t.Errorf("report %+v", report)
		}
	})
}

// TestStreamsAwayForGood: an API server that never comes back is waited for until the caller ends it; the error says what ended.
func TestStreamsAwayForGood(t *testing.T) {
	t.Parallel()
	s := serve(t, podiotest.Options{Fault: func(int) *podiotest.Fault { return &podiotest.Fault{Kind: podiotest.Reset} }})
	d := write(t, scatter(3, 100))
	p := s.plan(t, d)
	enough := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	report, err := s.push(ctx, t, p, d, Options{Notify: func(line string) {
		if strings.HasPrefix(line, "trying again: ") {
			cancel(enough)
		}
	}})
	if !errors.Is(err, enough) || report.Retries < 3 {
		t.Errorf("got %v, report %+v", err, report)
	}
	s.wantOnly(t, p, nil, nil)
}

// TestStreamsSlowLink: a link that only drips is no reason to begin again.
func TestStreamsSlowLink(t *testing.T) {
	t.Parallel()
	files := scatter(6, 20_000)
	podiotest.EachTransport(t, func(t *testing.T, options podiotest.Options) {
		options.Fault = func(int) *podiotest.Fault { return &podiotest.Fault{Kind: podiotest.Slow, Rate: 50_000} }
		s := serve(t, options)
		d := write(t, files)
		p := fine(s.plan(t, d))
		planted := s.plant(t, p)
		began := time.Now()
		report, err := s.push(t.Context(), t, p, d, Options{Parallel: 1})
		if err != nil || report.Retries != 0 {
			t.Fatalf("report %+v, %v", report, err)
		}
		s.wantOnly(t, p, files, planted)
		wantReport(t, report, p, 1, int64(len(older)))
		if took := time.Since(began); took < time.Second {
			t.Errorf("it took %s: the link was not slow", took)
		}
		if want := "exec websocket"; !options.NoWebSocket && slices.ContainsFunc(s.Requests(), func(r string) bool { return r != want }) {
			t.Errorf("requests %q", s.Requests())
		}
	})
}

// TestStreamsInterrupted: the end of the context ends a push whatever the connection is doing.
func TestStreamsInterrupted(t *testing.T) {
	t.Parallel()
	files := scatter(40, 20_000)
	podiotest.EachTransport(t, func(t *testing.T, options podiotest.Options) {
		for _, parallel := range []int{1, 4, 16} {
			t.Run(fmt.Sprint(parallel), func(t *testing.T) {
				s := serve(t, options)
				d := write(t, files)
				p := fine(s.plan(t, d))
				planted := s.plant(t, p)
				stop := errors.New("interrupted")
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				first, err := s.push(ctx, t, p, d, Options{Parallel: parallel, Progress: func(p Progress) {
					if p.Files > 3 {
						cancel(stop)
					}
				}})
				if !errors.Is(err, stop) {
					t.Errorf("got %v", err)
				}
				s.wait(t)
				if tree := contents(t, p.Dir()); tree != nil {
					t.Errorf("published %d files", len(tree))
				}
				second, err := s.push(t.Context(), t, p, d, Options{Parallel: parallel})
				if err != nil {
					t.Fatal(err)
				}
				s.wantOnly(t, p, files, planted)
				if second.TakenOverFiles < first.Files {
					t.Errorf("%d files had arrived, the next push %+v", first.Files, second)
				}
			})
		}
	})
}
