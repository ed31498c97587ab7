//go:build unix

package stage

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	k8stesting "k8s.io/client-go/testing"
)

// site is a fake cluster whose Pods are Ready at once, and reach a volume of this machine.
type site struct {
	*local
	client  *fake.Clientset
	cleaner *Cleaner
	runs    []Run
	users   []int64 // that Pods were started as, in this order
	listed  atomic.Int32
}

func openSite(t *testing.T, sh shell) *site {
	t.Helper()
	s := &site{local: newLocal(t, sh), client: fake.NewClientset()}
	number := 0
	s.client.PrependReactor("create", "pods", func(action k8stesting.Action) (bool, runtime.Object, error) {
		pod := action.(k8stesting.CreateAction).GetObject().(*corev1.Pod).DeepCopy()
		number++
		pod.UID, pod.Status = types.UID("0000000"+string(rune('0'+number))+"-cccc"), ready
		pod.Status.Phase = corev1.PodRunning
		s.users = append(s.users, *pod.Spec.SecurityContext.RunAsUser)
		return true, pod, s.client.Tracker().Create(podResource, pod, pod.Namespace)
	})
	pod := options()
	pod.Key, pod.Table, pod.RunAsUser = "cleanup", "", new(int64(syscall.Getuid()))
	s.cleaner = &Cleaner{
		Station: &Station{Client: s.client, Exec: s.local, Pod: pod, Wait: time.Minute}, Root: s.root(), OlderThan: 24 * time.Hour,
		Runs: func(context.Context) ([]Run, error) { s.listed.Add(1); return s.runs, nil },
	}
	t.Cleanup(func() {
		if err := s.cleaner.Close(context.Background()); err != nil {
			t.Error(err)
		}
		for _, name := range remaining(t, s.client) {
			if strings.HasPrefix(name, "tracebloc-stage-cleanup-") {
				t.Errorf("left behind: %s", name)
			}
		}
	})
	return s
}

func (s *site) look(t *testing.T) []Item {
	t.Helper()
	items, truncated, err := s.cleaner.Look(t.Context())
	if err != nil || truncated {
		t.Fatalf("truncated %v, %v", truncated, err)
	}
	return items
}

// going are the names of what is to go.
func going(items []Item) []string {
	var names []string
	for _, i := range items {
		if i.Kept == "" {
			names = append(names, i.Name)
		}
	}
	slices.Sort(names)
	return names
}

func (s *site) remove(t *testing.T, items []Item) {
	t.Helper()
	for _, i := range items {
		if i.Kept != "" {
			continue
		}
		if kept, err := s.cleaner.Remove(t.Context(), i); err != nil || kept != "" {
			t.Errorf("%s: kept %q, %v", i.Name, kept, err)
		}
	}
}

func TestCleaner(t *testing.T) {
	t.Parallel()
	for _, sh := range shells(t) {
		t.Run(sh.name, func(t *testing.T) {
			t.Parallel()
			s := openSite(t, sh)
			furnish(t, s.local)
			reads := filepath.Join(s.root(), "dogs", oldTree)
			put(t, filepath.Join(reads, "x"), "1")
			put(t, filepath.Join(s.root(), "dogs", "foreign"), "1")
			age(t, s.root())
			put(t, filepath.Join(s.root(), "dogs", otherTree, "young"), "1")
			labeled(t, s.client, "aa", "cats", 48*time.Hour, corev1.PodStatus{Phase: corev1.PodSucceeded}, nil)
			labeled(t, s.client, "bb", "birds", time.Hour, corev1.PodStatus{Phase: corev1.PodRunning}, nil)
			s.runs = []Run{{Key: "key-2", Phase: "Running", Active: true, Reads: func(dir string) bool { return dir == reads }}}

			items := s.look(t)
			want := []string{
				".new-" + someNonce, ".trash-" + someNonce + "-3", "." + oldTree + ".push", "." + otherTree + ".push", oldTree, otherTree, "stage-aa",
			}
			slices.Sort(want)
			if diff := cmp.Diff(want, going(items)); diff != "" {
				t.Fatalf("to go (-want +got):\n%s", diff)
			}
			s.remove(t, items)
			if got := remaining(t, s.client); len(got) != 2 || !slices.Contains(got, "stage-bb") {
				t.Errorf("pods %q", got)
			}
			if got := names(t, s.root()); !cmp.Equal(got, []string{"dogs"}) {
				t.Errorf("left: %q", got)
			}
			wantContents(t, filepath.Join(s.root(), "dogs"), map[string]string{oldTree + "/x": "1", otherTree + "/young": "1", "foreign": "1"})
			if got := going(s.look(t)); got != nil {
				t.Errorf("again: %q", got)
			}
		})
	}
}

// TestCleanerLooksAgain: what comes into use after the listing stays.
func TestCleanerLooksAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(t *testing.T, s *site)
		kept   string
	}{
		"nothing":          {func(*testing.T, *site) {}, ""},
		"a run of the key": {func(_ *testing.T, s *site) { s.runs = []Run{{Key: "key-1", Active: true}} }, `run "key-1" is not over`},
		"a run reads it": {func(_ *testing.T, s *site) {
			s.runs = []Run{{Key: "x", Active: true, Reads: func(string) bool { return true }}}
		}, "and reads it"},
		"a push begins": {func(t *testing.T, s *site) {
			labeled(t, s.client, "bb", "cats", time.Second, corev1.PodStatus{Phase: corev1.PodRunning}, nil)
		}, "a push of the table may be at work"},
		"another push has stored its key": {func(t *testing.T, s *site) {
			put(t, filepath.Join(s.root(), "cats", oldTree+".run"), recordText("key-3"))
		}, "changed since"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openSite(t, shellOf(t, len(name)))
			furnish(t, s.local)
			age(t, s.root())
			items := s.look(t)
			i := slices.IndexFunc(items, func(i Item) bool { return i.Name == oldTree })
			if items[i].Kept != "" || items[i].Run != "key-1" {
				t.Fatalf("%+v", items[i])
			}
			c.change(t, s)
			s.cleaner.now.at = time.Time{} // as if it had been asked long ago
			kept, err := s.cleaner.Remove(t.Context(), items[i])
			if err != nil || !strings.Contains(kept, c.kept) || (c.kept == "") != (kept == "") {
				t.Errorf("kept %q, %v", kept, err)
			}
			if _, err := os.Stat(filepath.Join(s.root(), "cats", oldTree, "labels.csv")); (err == nil) != (c.kept != "") {
				t.Errorf("the tree: %v", err)
			}
		})
	}
}

// TestCleanerBlind: when the cluster does not tell any more what is in use, nothing goes.
func TestCleanerBlind(t *testing.T) {
	t.Parallel()
	s := openSite(t, shellOf(t, 0))
	furnish(t, s.local)
	age(t, s.root())
	labeled(t, s.client, "aa", "cats", 48*time.Hour, corev1.PodStatus{Phase: corev1.PodSucceeded}, nil)
	items := s.look(t)
	s.cleaner.Runs = func(context.Context) ([]Run, error) { return nil, errReset }
	s.cleaner.now.at = time.Time{}
	s.client.PrependReactor("list", "pods", func(k8stesting.Action) (bool, runtime.Object, error) { return true, nil, errReset })
	before := contents(t, s.root())
	for _, i := range items {
		_, err := s.cleaner.Remove(t.Context(), i)
		var blind *BlindError
		if !errors.As(err, &blind) || !errors.Is(err, errReset) {
			t.Errorf("%s: %v", i.Name, err)
		}
	}
	wantContents(t, s.root(), before)
	if _, _, err := s.cleaner.Look(t.Context()); !errors.Is(err, errReset) {
		t.Errorf("look: %v", err)
	}
	s.client.ReactionChain = s.client.ReactionChain[1:]
}

// TestCleanerTakesTime: the cluster is not asked again for each item.
func TestCleanerTakesTime(t *testing.T) {
	t.Parallel()
	s := openSite(t, shellOf(t, 0))
	furnish(t, s.local)
	age(t, s.root())
	items := s.look(t)
	s.cleaner.now.at = time.Now().Add(time.Hour)
	s.remove(t, items)
	if n := s.listed.Load(); n != 1 {
		t.Errorf("%d listings", n)
	}
}

// TestCleanerOtherUsers: what belongs to another user is removed by a Pod of that user; not as root, and not where the cluster chooses the users.
func TestCleanerOtherUsers(t *testing.T) {
	t.Parallel()
	needsRoot(t)
	for name, c := range map[string]struct {
		user  *int64
		files int
		pods  []int64
		want  error
	}{
		"the own":     {new(int64(65534)), 65534, []int64{65534}, nil},
		"another":     {new(int64(65534)), 12345, []int64{65534, 12345}, nil},
		"root's":      {new(int64(65534)), 0, []int64{65534}, &PlaceError{}},
		"all root's":  {new(int64(0)), 0, []int64{0}, nil},
		"not root's":  {new(int64(0)), 12345, []int64{0, 12345}, nil},
		"the cluster": {nil, 12345, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openSite(t, shellOf(t, len(name)))
			s.cleaner.Station.Pod.RunAsUser = c.user
			if c.user == nil {
				s.client.ReactionChain = s.client.ReactionChain[1:]
				s.client.PrependReactor("create", "pods", func(action k8stesting.Action) (bool, runtime.Object, error) {
					pod := action.(k8stesting.CreateAction).GetObject().(*corev1.Pod).DeepCopy()
					pod.UID, pod.Status = "00000001-cccc", ready
					if pod.Spec.SecurityContext.RunAsUser != nil {
						t.Errorf("a pod as user %d", *pod.Spec.SecurityContext.RunAsUser)
					}
					return true, pod, s.client.Tracker().Create(podResource, pod, pod.Namespace)
				})
			}
			furnish(t, s.local)
			age(t, s.root())
			err := filepath.WalkDir(s.root(), func(path string, _ os.DirEntry, err error) error {
				return errors.Join(err, os.Lchown(path, c.files, c.files))
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, i := range s.look(t) {
				if i.UID != int64(c.files) {
					t.Errorf("%s belongs to %d", i.Name, i.UID)
				}
				kept, err := s.cleaner.Remove(t.Context(), i)
				var place *PlaceError
				if kept != "" || errors.As(err, &place) != (c.want != nil) || (err == nil) != (c.want == nil) {
					t.Errorf("%s: kept %q, %v", i.Name, kept, err)
				}
			}
			if !slices.Equal(s.users, c.pods) {
				t.Errorf("pods as %d, want %d", s.users, c.pods)
			}
			if got := names(t, s.root()); (len(got) == 0) != (c.want == nil) {
				t.Errorf("left: %q", got)
			}
		})
	}
}

// TestCleanerReopens: between listing and removing there may be no Pod.
func TestCleanerReopens(t *testing.T) {
	t.Parallel()
	s := openSite(t, shellOf(t, 1))
	furnish(t, s.local)
	age(t, s.root())
	items := s.look(t)
	if err := s.cleaner.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := remaining(t, s.client); got != nil {
		t.Errorf("pods %q", got)
	}
	s.remove(t, items)
	if got := names(t, s.root()); got != nil || len(s.users) != 2 {
		t.Errorf("left: %q; pods as %d", got, s.users)
	}
}

// TestCleanerOfOneTable touches nothing of another.
func TestCleanerOfOneTable(t *testing.T) {
	t.Parallel()
	s := openSite(t, shellOf(t, 2))
	furnish(t, s.local)
	put(t, filepath.Join(s.root(), "dogs", oldTree, "x"), "1")
	age(t, s.root())
	labeled(t, s.client, "aa", "cats", 48*time.Hour, corev1.PodStatus{Phase: corev1.PodSucceeded}, nil)
	labeled(t, s.client, "bb", "dogs", 48*time.Hour, corev1.PodStatus{Phase: corev1.PodSucceeded}, nil)
	s.cleaner.Table = "dogs"
	items := s.look(t)
	if got := going(items); !cmp.Equal(got, []string{oldTree, "stage-bb"}) {
		t.Fatalf("to go: %q", got)
	}
	s.remove(t, items)
	if got := names(t, s.root()); !cmp.Equal(got, []string{"cats"}) {
		t.Errorf("left: %q", got)
	}
}
