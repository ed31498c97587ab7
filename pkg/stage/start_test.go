package stage

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	k8stesting "k8s.io/client-go/testing"
)

var podResource = schema.GroupVersionResource{Version: "v1", Resource: "pods"}

// cluster is a fake API server in which the Pod goes through a list of states, one a second.
func cluster(t *testing.T, states ...corev1.PodStatus) *fake.Clientset {
	t.Helper()
	client := fake.NewClientset()
	client.PrependReactor("create", "pods", func(action k8stesting.Action) (bool, runtime.Object, error) {
		create, ok := action.(k8stesting.CreateAction)
		if !ok {
			return false, nil, nil
		}
		pod, ok := create.GetObject().(*corev1.Pod)
		if !ok {
			return false, nil, nil
		}
		pod = pod.DeepCopy()
		pod.UID = "11111111-aaaa-bbbb-cccc-000000000001"
		go evolve(client, pod.DeepCopy(), states)
		return true, pod, client.Tracker().Create(podResource, pod, pod.Namespace)
	})
	return client
}

func evolve(client *fake.Clientset, pod *corev1.Pod, states []corev1.PodStatus) {
	for _, state := range states {
		time.Sleep(time.Second)
		pod = pod.DeepCopy()
		pod.Status = state
		if client.Tracker().Update(podResource, pod, pod.Namespace) != nil {
			return // it was deleted
		}
	}
}

func waitingFor(reason, message string) corev1.PodStatus {
	return corev1.PodStatus{Phase: corev1.PodPending, ContainerStatuses: []corev1.ContainerStatus{
		{Name: Container, State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}},
	}}
}

func condition(kind corev1.PodConditionType, status corev1.ConditionStatus, reason, message string) corev1.PodStatus {
	return corev1.PodStatus{Phase: corev1.PodPending, Conditions: []corev1.PodCondition{{Type: kind, Status: status, Reason: reason, Message: message}}}
}

var ready = condition(corev1.PodReady, corev1.ConditionTrue, "", "")

// remaining are the names of the Pods that were not deleted.
func remaining(t *testing.T, client *fake.Clientset) []string {
	t.Helper()
	list, err := client.CoreV1().Pods("ml").List(context.Background(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, pod := range list.Items {
		names = append(names, pod.Name)
	}
	return names
}

func TestStartPod(t *testing.T) {
	t.Parallel()
	backOff := waitingFor("ImagePullBackOff", "Back-off pulling image \"x\"")
	creating := waitingFor("ContainerCreating", "")
	unschedulable := condition(corev1.PodScheduled, corev1.ConditionFalse, "Unschedulable", "0/3 nodes are available")
	failed := corev1.PodStatus{Phase: corev1.PodFailed, Reason: "Evicted", Message: "The node was low on resource: memory."}
	for name, c := range map[string]struct {
		states []corev1.PodStatus
		told   []string
		reason string // "" is success
		next   string
		after  time.Duration // at least
		before time.Duration
	}{
		"ready": {states: []corev1.PodStatus{unschedulable, creating, ready},
			told: []string{"Pending", `Unschedulable: "0/3 nodes are available"`, "ContainerCreating"}, before: 5 * time.Second},
		"pull recovers": {states: []corev1.PodStatus{waitingFor("ErrImagePull", "timeout"), backOff, creating, ready},
			told: []string{"Pending", `ErrImagePull: "timeout"`, `ImagePullBackOff: "Back-off pulling image \"x\""`, "ContainerCreating"}, before: 6 * time.Second},
		"image": {states: []corev1.PodStatus{waitingFor("ErrImagePull", "not found"), backOff, waitingFor("ErrImagePull", "not found"), backOff},
			reason: "ImagePullBackOff", next: "--stage-image", after: imageGrace, before: imageGrace + 5*time.Second},
		"image name":    {states: []corev1.PodStatus{waitingFor("InvalidImageName", "bad")}, reason: "InvalidImageName", next: "--stage-image", before: 3 * time.Second},
		"config":        {states: []corev1.PodStatus{waitingFor("CreateContainerConfigError", "runAsNonRoot")}, reason: "CreateContainerConfigError", next: "get events", before: 3 * time.Second},
		"unschedulable": {states: []corev1.PodStatus{unschedulable}, reason: "Unschedulable", next: "node of jobs-manager", after: scheduleGrace, before: scheduleGrace + 5*time.Second},
		"evicted":       {states: []corev1.PodStatus{failed}, reason: "it ended while it started (Evicted)", next: "get events", before: 3 * time.Second},
		"too late":      {states: []corev1.PodStatus{creating}, reason: "not ready after 2m0s: ContainerCreating", next: "get events", after: 2 * time.Minute, before: 121 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client := cluster(t, c.states...)
				var told []string
				start := time.Now()
				pod, err := StartPod(t.Context(), client, BuildPod(options()), 2*time.Minute, func(reason string) { told = append(told, reason) })
				took := time.Since(start)
				if took < c.after || took > c.before {
					t.Errorf("took %s", took)
				}
				if c.told != nil && !slices.Equal(told, c.told) {
					t.Errorf("told %q, want %q", told, c.told)
				}
				if c.reason == "" {
					if err != nil || pod.Name != options().Name || pod.UID == "" {
						t.Fatalf("pod %+v, %v", pod, err)
					}
					if err := pod.Delete(t.Context()); err != nil {
						t.Error(err)
					}
				} else {
					var failure *StartError
					if !errors.As(err, &failure) || failure.Reason != c.reason || !strings.Contains(failure.Next, c.next) {
						t.Errorf("got %v", err)
					}
				}
				if left := remaining(t, client); left != nil {
					t.Errorf("left behind: %q", left)
				}
			})
		})
	}
}

func TestStartTellsEvents(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := cluster(t, waitingFor("ContainerCreating", ""))
		now := metav1.Now()
		for i, message := range []string{"older", "Multi-Attach error for volume"} {
			event := &corev1.Event{
				ObjectMeta:     metav1.ObjectMeta{Name: "e" + message[:1], Namespace: "ml"},
				InvolvedObject: corev1.ObjectReference{Name: options().Name, UID: "11111111-aaaa-bbbb-cccc-000000000001"},
				Type:           corev1.EventTypeWarning, Reason: "FailedAttachVolume", Message: message,
				LastTimestamp: metav1.NewTime(now.Add(time.Duration(i) * time.Second)),
			}
			if err := client.Tracker().Add(event); err != nil {
				t.Fatal(err)
			}
		}
		var told []string
		_, err := StartPod(t.Context(), client, BuildPod(options()), time.Minute, func(reason string) { told = append(told, reason) })
		const want = `FailedAttachVolume: "Multi-Attach error for volume"`
		if !slices.Contains(told, want) || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("told %q, error %v", told, err)
		}
	})
}

// TestStartWithoutWatch: neither watching nor reading events needs to be allowed.
func TestStartWithoutWatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := cluster(t, waitingFor("ContainerCreating", ""), waitingFor("ContainerCreating", ""), ready)
		forbidden := apierrors.NewForbidden(schema.GroupResource{Resource: "pods"}, "", errors.New("no"))
		client.PrependWatchReactor("pods", k8stesting.DefaultWatchReactor(nil, forbidden))
		client.PrependReactor("list", "events", func(k8stesting.Action) (bool, runtime.Object, error) { return true, nil, forbidden })
		if _, err := StartPod(t.Context(), client, BuildPod(options()), time.Minute, nil); err != nil {
			t.Error(err)
		}
	})
}

func TestStartCanceled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := cluster(t, waitingFor("ContainerCreating", ""))
		stop := errors.New("interrupted")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(10*time.Second, func() { cancel(stop) })
		if _, err := StartPod(ctx, client, BuildPod(options()), time.Hour, nil); !errors.Is(err, stop) {
			t.Errorf("got %v", err)
		}
		if left := remaining(t, client); left != nil {
			t.Errorf("left behind: %q", left)
		}
	})
}

// TestStartReplaced: a Pod that was deleted, or that took the name of ours, is noticed; that other Pod is left alone.
func TestStartReplaced(t *testing.T) {
	t.Parallel()
	for name, replace := range map[string]bool{"deleted": false, "replaced": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client := cluster(t, waitingFor("ContainerCreating", ""))
				time.AfterFunc(10*time.Second, func() {
					if !replace {
						_ = client.Tracker().Delete(podResource, "ml", options().Name)
						return
					}
					other := BuildPod(options())
					other.UID = types.UID("99999999-aaaa-bbbb-cccc-000000000009")
					_ = client.Tracker().Update(podResource, other, "ml")
				})
				client.PrependReactor("delete", "pods", func(action k8stesting.Action) (bool, runtime.Object, error) {
					d, ok := action.(k8stesting.DeleteActionImpl)
					if ok && replace && d.DeleteOptions.Preconditions != nil && *d.DeleteOptions.Preconditions.UID != "99999999-aaaa-bbbb-cccc-000000000009" {
						return true, nil, apierrors.NewConflict(podResource.GroupResource(), options().Name, errors.New("precondition"))
					}
					return false, nil, nil
				})
				_, err := StartPod(t.Context(), client, BuildPod(options()), time.Hour, nil)
				var failure *StartError
				if !errors.As(err, &failure) || !strings.Contains(failure.Reason, map[bool]string{true: "another pod took its name", false: "it was deleted"}[replace]) {
					t.Errorf("got %v", err)
				}
				if left := remaining(t, client); (len(left) == 1) != replace {
					t.Errorf("pods %q", left)
				}
			})
		})
	}
}

func TestCreateRefused(t *testing.T) {
	t.Parallel()
	resource := schema.GroupResource{Resource: "pods"}
	for name, c := range map[string]struct {
		text   string
		reason string
		next   string
	}{
		"pod security": {`violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false`, "pod security of the namespace forbids it", "restricted"},
		"quota":        {"exceeded quota: compute, requested: pods=1", "a quota of the namespace forbids it", "kubectl describe quota -n ml"},
		"scc":          {"unable to validate against any security context constraint", "no security context constraint allows it", "restricted-v2"},
		"limit range":  {"is forbidden: maximum cpu usage per Container is 1, but limit is 2", "a limit range of the namespace forbids it", "limitrange"},
		"rbac":         {`User "u" cannot create resource "pods"`, "not allowed to create it", `"edit"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := fake.NewClientset()
			calls := 0
			client.PrependReactor("create", "pods", func(k8stesting.Action) (bool, runtime.Object, error) {
				calls++
				return true, nil, apierrors.NewForbidden(resource, "x", errors.New(c.text))
			})
			_, err := StartPod(t.Context(), client, BuildPod(options()), time.Minute, nil)
			var failure *StartError
			if !errors.As(err, &failure) || failure.Reason != c.reason || !strings.Contains(err.Error(), c.next) || !apierrors.IsForbidden(err) {
				t.Errorf("got %v", err)
			}
			if calls != 1 {
				t.Errorf("asked %d times", calls)
			}
		})
	}
}

// TestCreateAnswerLost: the Pod was made, but nobody said so. It is used, or deleted, but not forgotten.
func TestCreateAnswerLost(t *testing.T) {
	t.Parallel()
	for name, forever := range map[string]bool{"once": false, "always": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				client := cluster(t, ready)
				lost := 0
				made := client.ReactionChain[0]
				client.PrependReactor("create", "pods", func(action k8stesting.Action) (bool, runtime.Object, error) {
					if lost > 0 && !forever {
						return true, nil, apierrors.NewAlreadyExists(podResource.GroupResource(), options().Name)
					}
					if lost++; lost == 1 {
						if _, _, err := made.React(action); err != nil {
							t.Error(err)
						}
					}
					return true, nil, errors.New("connection reset by peer")
				})
				pod, err := StartPod(t.Context(), client, BuildPod(options()), time.Minute, nil)
				if forever != (err != nil) {
					t.Errorf("pod %+v, %v", pod, err)
				}
				if left := remaining(t, client); (len(left) == 0) != forever {
					t.Errorf("pods %q", left)
				}
			})
		})
	}
}

func TestCheckAndOwners(t *testing.T) {
	t.Parallel()
	client := fake.NewClientset()
	add := func(name, uid string, labeled bool, status corev1.PodStatus) *Pod {
		o := options()
		o.Name = name
		pod := BuildPod(o)
		pod.UID, pod.Status = types.UID(uid), status
		if !labeled {
			pod.Labels = nil
		}
		if err := client.Tracker().Add(pod); err != nil {
			t.Fatal(err)
		}
		return &Pod{Namespace: "ml", Name: name, UID: types.UID(uid), client: client}
	}
	running := add("a", "aa", true, ready)
	oom := add("b", "bb", true, corev1.PodStatus{Phase: corev1.PodFailed, ContainerStatuses: []corev1.ContainerStatus{
		{Name: Container, State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 137, Reason: "OOMKilled"}}},
	}})
	add("c", "cc", false, ready)

	if err := running.Check(t.Context()); err != nil {
		t.Errorf("running: %v", err)
	}
	var gone *GoneError
	if err := oom.Check(t.Context()); !errors.As(err, &gone) || !strings.Contains(err.Error(), "OOMKilled") {
		t.Errorf("ended: %v", err)
	}
	alive, err := running.Volume(nil).Owners(t.Context())
	if err != nil || len(alive) != 1 || alive["aa"] != "a" {
		t.Errorf("owners %v, %v", alive, err)
	}
}
