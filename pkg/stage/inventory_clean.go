package stage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// stale is after how long the cluster is asked again before something is removed.
const stale = 5 * time.Second

// Cleaner finds what pushes have left in the cluster and on the volume, and removes it. Its fields are set before the first call, and it is
// used by one goroutine.
type Cleaner struct {
	// Station describes the stage Pod through which the volume is reached; there is one only while it is needed. Where things belong to
	// another user than its own, another Pod is started that runs as that user, unless the cluster chooses the users (RunAsUser is nil).
	Station *Station
	// Root is the staging directory in the Pod.
	Root string
	// Table narrows everything to one table; "" is all.
	Table string
	// OlderThan is for how long nothing must have happened to what is removed.
	OlderThan time.Duration
	// Runs lists the ingestion runs of the namespace.
	Runs func(context.Context) ([]Run, error)

	posts map[int64]*post
	now   situation
}

// ownUser is the key of the post of Station itself.
const ownUser = -1

// post is a way to the volume as one user.
type post struct {
	station *Station
	volume  *Volume
	err     error // why there is none
}

// Item is something that a push has made, and what a cleanup thinks of it. All texts but Kind and Path may be foreign.
type Item struct {
	Kind Kind
	// Table and Name are as in an Entry; the Name of a stage Pod is its own.
	Table, Name string
	// Path is where it lies in the Pod; "" of a stage Pod.
	Path string
	// Files, Bytes, Age and UID are as in an Entry; a stage Pod has only an Age.
	Files, Bytes int64
	Age          time.Duration
	UID          int64
	// Run is the idempotency key of the run that it was staged for, where there is one.
	Run string
	// Why says what it is. Kept says why it stays; "" when it is to go.
	Why, Kept string

	entry Entry
	pod   *Pod
}

// Look finds everything, kept or not: Pods first, then tables in their order. truncated says that there is more. It changes nothing but for
// the Pod that it needs, which stays for Remove.
func (c *Cleaner) Look(ctx context.Context) (items []Item, truncated bool, err error) {
	volume, err := c.reach(ctx, ownUser)
	if err != nil {
		return nil, false, err
	}
	found, err := volume.Inventory(ctx, c.Root, c.Table)
	if err != nil {
		return nil, false, err
	}
	// What the cluster says is asked later than what the volume says: a run that begins in between is seen.
	if err := c.refresh(ctx, everybody); err != nil {
		return nil, false, err
	}
	for _, s := range c.now.pods {
		if c.Table == "" || s.table == c.Table {
			items = append(items, Item{
				Kind: KindPod, Table: s.table, Name: s.Name, Files: -1, Bytes: -1, Age: s.age, UID: -1, Why: s.why, Kept: s.kept, pod: s.Pod,
			})
		}
	}
	slices.SortStableFunc(found.Entries, func(a, b Entry) int { return cmp.Compare(a.Table, b.Table) })
	for _, e := range found.Entries {
		items = append(items, c.now.item(c.Root, e, c.OlderThan))
	}
	return items, found.Truncated, nil
}

// refresh asks the cluster, and those Pods of which asked says so.
func (c *Cleaner) refresh(ctx context.Context, asked func(*corev1.Pod) bool) error {
	pods, err := c.strays(ctx, asked)
	if err != nil {
		return err
	}
	// A push that was at work in a Pod just now submits its run afterwards.
	at := time.Now()
	runs, err := c.Runs(ctx)
	if err != nil {
		return err
	}
	c.now = situation{at: at, runs: runs, pods: pods}
	return ctx.Err()
}

// Remove removes an item that Look has found and that is not kept, after it has looked once more whether it still may: kept says why not.
// The error says why something that should go could not.
func (c *Cleaner) Remove(ctx context.Context, i Item) (kept string, err error) {
	if i.pod != nil {
		return c.removePod(ctx, i.pod)
	}
	user, err := c.userFor(i)
	if err != nil {
		return "", err
	}
	volume, err := c.reach(ctx, user)
	if err != nil {
		return "", err
	}
	if time.Since(c.now.at) > stale {
		if err := c.refresh(ctx, nobody); err != nil {
			return "", &BlindError{Err: err}
		}
	}
	if _, kept := c.now.judge(c.Root, i.entry, c.OlderThan); kept != "" {
		return kept, nil
	}
	err = volume.Purge(ctx, c.Root, i.entry, c.now.gone(i.entry))
	var spared *SparedError
	if errors.As(err, &spared) {
		return spared.reason(), nil
	}
	return "", err
}

// userFor is as whom something can be removed: its owner.
func (c *Cleaner) userFor(i Item) (int64, error) {
	own := c.Station.Pod.RunAsUser
	switch {
	case own == nil, i.UID < 0, i.UID == *own:
		return ownUser, nil
	case i.UID == 0:
		return 0, &PlaceError{Path: i.Path, Reason: Denied, Text: "it belongs to root, and a stage pod runs as root only where the ingestor does"}
	}
	return i.UID, nil
}

// reach opens a way to the volume as a user, once.
func (c *Cleaner) reach(ctx context.Context, user int64) (*Volume, error) {
	if p := c.posts[user]; p != nil {
		return p.volume, p.err
	}
	p := &post{station: &Station{
		Client: c.Station.Client, Exec: c.Station.Exec, Plainer: c.Station.Plainer, Pod: c.Station.Pod, Wait: c.Station.Wait, Notify: c.Station.Notify,
	}}
	if user != ownUser {
		p.station.Pod.RunAsUser = &user
	}
	p.volume, p.err = p.station.Open(ctx)
	if p.err != nil && user != ownUser {
		p.err = fmt.Errorf("what belongs to uid %d needs a stage pod of that user: %w", user, p.err)
	}
	if c.posts == nil {
		c.posts = map[int64]*post{}
	}
	c.posts[user] = p
	return p.volume, p.err
}

// owns tells whether the Pod is one of the cleaner's.
func (c *Cleaner) owns(pod *corev1.Pod) bool {
	for _, p := range c.posts {
		if p.station.has(pod) {
			return true
		}
	}
	return false
}

// has tells whether the Pod is that of the station.
func (s *Station) has(pod *corev1.Pod) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pod != nil && s.pod.UID == pod.UID && s.pod.Name == pod.Name
}

// BlindError says that nobody can tell any more what is in use, so nothing more may be removed.
type BlindError struct {
	Err error
}

// Error is that of the API server.
func (e *BlindError) Error() string { return "find out what is in use: " + e.Err.Error() }

// Unwrap returns Err.
func (e *BlindError) Unwrap() error { return e.Err }

// Close deletes the Pods that were needed. It works after ctx has ended, and what is needed later is started again.
func (c *Cleaner) Close(ctx context.Context) error {
	var mu sync.Mutex
	var errs []error
	var all sync.WaitGroup
	for _, p := range c.posts {
		all.Go(func() {
			if err := p.station.Close(ctx); err != nil {
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, err)
			}
		})
	}
	all.Wait()
	c.posts = nil
	return errors.Join(errs...)
}
