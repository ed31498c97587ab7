package run

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
)

// keeper keeps up with some kinds of objects at once. Its workers hand what they
// find to one loop as functions, so that the loop alone touches the state.
type keeper struct {
	// tell, when set, is told in one line about a connection that broke or came back.
	tell    func(message string)
	updates chan func()
	workers sync.WaitGroup

	broken map[string]bool // sources without connection
	fatal  error           // what may not be watched
}

func newKeeper(tell func(message string)) *keeper {
	return &keeper{tell: tell, updates: make(chan func()), broken: map[string]bool{}}
}

// do hands work to the loop.
func (k *keeper) do(ctx context.Context, work func()) {
	select {
	case k.updates <- work:
	case <-ctx.Done():
	}
}

// await applies one update, or returns when a grace period ends. A zero time is
// no grace period. The error is the context's cause.
func (k *keeper) await(ctx context.Context, until time.Time) error {
	var expired <-chan time.Time
	if !until.IsZero() {
		timer := time.NewTimer(time.Until(until))
		defer timer.Stop()
		expired = timer.C
	}
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case work := <-k.updates:
		work()
	case <-expired:
	}
	return nil
}

// source is one kind of objects that are kept up with. Each break of its
// watch, a version that is too old among them, is followed by a new sync: the
// newest state counts, not each step to it. client-go's RetryWatcher gives up on
// 410 and its informers log to the terminal, so the few lines are here.
type source struct {
	name string
	// sync hands over the whole state and returns its version; done ends the watching.
	sync  func(ctx context.Context) (version string, done bool, err error)
	watch func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error)
	apply func(event watch.Event) // runs in the keeper's loop
	// optional sources are given up when they are not allowed.
	optional bool
}

// How often in a row an answer of 401 or 403 is taken for a passing state:
// credentials are renewed while a run is followed. What was allowed before is
// waited for longer, some 15 seconds: an API server that has just started knows no
// roles yet.
const (
	maxDenied      = 3
	maxDeniedAgain = 6
)

// keep syncs and watches until the context ends.
func (k *keeper) keep(ctx context.Context, src source) {
	backoff := wait.Backoff{Duration: 500 * time.Millisecond, Factor: 2, Jitter: 0.2, Steps: 6, Cap: 10 * time.Second}
	pause, denied, limit := backoff, 0, maxDenied
	for ctx.Err() == nil {
		version, done, err := src.sync(ctx)
		if done {
			return
		}
		if err != nil {
			if denied++; !isDenied(err) {
				denied = 0
			}
			if denied == limit {
				k.denied(ctx, src, err)
				return
			}
			k.do(ctx, func() { k.lost(src.name, err) })
			sleep(ctx, pause.Step())
			continue
		}
		denied, limit = 0, maxDeniedAgain
		k.do(ctx, func() { k.found(src.name) })
		if k.stream(ctx, src, version) {
			pause = backoff
		}
		// A server that ends each watch at once must not be asked in a hot loop.
		sleep(ctx, pause.Step())
	}
}

// stream applies the events of one watch and reports whether there were any.
func (k *keeper) stream(ctx context.Context, src source, version string) (any bool) {
	w, err := src.watch(ctx, metav1.ListOptions{ResourceVersion: version, AllowWatchBookmarks: true})
	if err != nil {
		return false
	}
	defer w.Stop()
	for {
		select {
		case <-ctx.Done():
			return any
		case event, ok := <-w.ResultChan():
			if !ok || event.Type == watch.Error {
				return any
			}
			any = true
			if event.Type != watch.Bookmark {
				k.do(ctx, func() { src.apply(event) })
			}
		}
	}
}

func isDenied(err error) bool {
	return apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err)
}

func (k *keeper) denied(ctx context.Context, src source, err error) {
	if src.optional {
		return
	}
	k.do(ctx, func() { k.fatal = fmt.Errorf("watching the %s: %w", src.name, err) })
}

// say tells the user one line.
func (k *keeper) say(message string) {
	if k.tell != nil {
		k.tell(message)
	}
}

// lost and found tell the user once about a connection that broke and came back.
func (k *keeper) lost(name string, err error) {
	if len(k.broken) == 0 {
		// The address of one request among many explains nothing.
		if request := (*url.Error)(nil); errors.As(err, &request) {
			err = request.Err
		}
		k.say(fmt.Sprintf("connection to the API server lost, trying again: %s", oneLine(err.Error())))
	}
	k.broken[name] = true
}

func (k *keeper) found(name string) {
	if !k.broken[name] {
		return
	}
	delete(k.broken, name)
	if len(k.broken) == 0 {
		k.say("connected to the API server again")
	}
}

// errStopped is the cause of what a keeper's loop ends by itself.
var errStopped = errors.New("the run is no longer followed")
