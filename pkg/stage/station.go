package stage

import (
	"context"
	"errors"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// Station keeps a stage Pod as long as a push needs one: when it is deleted, evicted or killed, or its time runs out, there is another.
// Its fields are set before the first call.
type Station struct {
	Client kubernetes.Interface
	// Exec and Plainer are those of the Volume.
	Exec, Plainer Execer
	// Pod is what the Pods are made from; each gets a name of its own.
	Pod PodOptions
	// Wait is how long a Pod may take to become Ready.
	Wait time.Duration
	// Notify is called with each new reason why a Pod is not ready; nil is allowed.
	Notify func(reason string)

	mu     sync.Mutex
	pod    *Pod
	waited time.Duration
}

// Open starts the Pod and returns the volume as it is reached through it, and through those that replace it. The error is that of
// StartPod. The caller must call Close.
func (s *Station) Open(ctx context.Context) (*Volume, error) {
	v, err := s.start(ctx)
	if err != nil {
		return nil, err
	}
	v.Renew = s.renew
	return v, nil
}

// Waited is how long Pods took to become Ready, all of them together.
func (s *Station) Waited() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.waited
}

// Close deletes the Pod, and those of killed pushes of the same table, which have ended by themselves. It works after ctx has ended.
func (s *Station) Close(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pod == nil {
		return nil
	}
	err := s.pod.Delete(ctx)
	s.pod = nil
	s.sweep(ctx)
	return err
}

// sweep is a courtesy: who may not list or delete Pods leaves them to somebody else.
func (s *Station) sweep(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), deleteTimeout)
	defer cancel()
	list, err := s.Client.CoreV1().Pods(s.Pod.Namespace).List(ctx, metav1.ListOptions{LabelSelector: Selector})
	if err != nil {
		return
	}
	for _, pod := range list.Items {
		if hasEnded(&pod) && pod.Annotations[AnnotationTable] == s.Pod.Table {
			ended := &Pod{Namespace: pod.Namespace, Name: pod.Name, UID: pod.UID, client: s.Client}
			_ = ended.Delete(ctx)
		}
	}
}

func (s *Station) start(ctx context.Context) (*Volume, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	began := time.Now()
	options := s.Pod
	options.Name = PodName(options.Key)
	pod, err := StartPod(ctx, s.Client, BuildPod(options), s.Wait, s.Notify)
	s.waited += time.Since(began)
	if err != nil {
		return nil, err
	}
	s.pod = pod
	v := pod.Volume(s.Exec)
	v.Plainer = s.Plainer
	return v, nil
}

// renew removes what is left of the Pod that is gone, and starts another.
func (s *Station) renew(ctx context.Context) (*Volume, error) {
	undeleted := s.Close(ctx)
	v, err := s.start(ctx)
	if err != nil {
		return nil, errors.Join(err, undeleted)
	}
	return v, nil
}
