package cmd

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	authzv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
)

// asksFor reports whether a list or watch asks for the object.
func asksFor(r *http.Request, object runtime.Object) bool {
	byLabel, err := labels.Parse(r.URL.Query().Get("labelSelector"))
	if err != nil {
		panic(err)
	}
	byField, err := fields.ParseSelector(r.URL.Query().Get("fieldSelector"))
	if err != nil {
		panic(err)
	}
	o, err := meta.Accessor(object)
	if err != nil {
		panic(err)
	}
	known := fields.Set{"metadata.name": o.GetName(), "metadata.namespace": o.GetNamespace()}
	if event, ok := object.(*corev1.Event); ok {
		known["involvedObject.kind"], known["involvedObject.name"] = event.InvolvedObject.Kind, event.InvolvedObject.Name
		known["involvedObject.uid"] = string(event.InvolvedObject.UID)
	}
	return byLabel.Matches(labels.Set(o.GetLabels())) && byField.Matches(known)
}

func (s *runsServer) list(w http.ResponseWriter, r *http.Request, gvr schema.GroupVersionResource, gvk schema.GroupVersionKind, namespace string) {
	list, err := s.tracker.List(gvr, gvk, namespace)
	if err != nil {
		s.fail(w, err)
		return
	}
	items, err := meta.ExtractList(list)
	if err == nil {
		err = meta.SetList(list, slices.DeleteFunc(items, func(o runtime.Object) bool { return !asksFor(r, o) }))
	}
	s.send(w, gvr, list, err)
}

// watch streams changes until the client goes away.
func (s *runsServer) watch(w http.ResponseWriter, r *http.Request, gvr schema.GroupVersionResource, namespace string) {
	changes, err := s.tracker.Watch(gvr, namespace)
	if err != nil {
		s.fail(w, err)
		return
	}
	defer changes.Stop()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusOK)
	w.(http.Flusher).Flush()
	s.watches <- gvr.Resource
	for {
		select {
		case <-r.Context().Done():
			return
		case event := <-changes.ResultChan():
			if !asksFor(r, event.Object) {
				continue
			}
			_, _ = fmt.Fprintf(w, `{"type":%q,"object":%s}`, event.Type, encode(gvr, event.Object))
			w.(http.Flusher).Flush()
		}
	}
}

// remove deletes an object, and with a Job its Pods, as foreground deletion does.
func (s *runsServer) remove(w http.ResponseWriter, gvr schema.GroupVersionResource, namespace, name string) {
	if gvr.Resource == "jobs" {
		pods, _, _ := serverKind("pods")
		if err := s.tracker.Delete(pods, namespace, name+"-x7k2p"); err != nil {
			s.fail(w, err)
			return
		}
	}
	err := s.tracker.Delete(gvr, namespace, name)
	s.send(w, corev1.SchemeGroupVersion.WithResource("status"), &metav1.Status{Status: metav1.StatusSuccess}, err)
}

func (s *runsServer) sendLog(w http.ResponseWriter, r *http.Request, pod string) {
	s.mu.Lock()
	log, ok := s.logs[pod], s.logs[pod] != ""
	if r.URL.Query().Get("previous") == "true" {
		log, ok = s.previous[pod], s.previous[pod] != ""
	}
	s.mu.Unlock()
	if !ok {
		http.Error(w, "no log of pod "+pod, http.StatusBadRequest)
		return
	}
	if r.URL.Query().Get("timestamps") != "true" {
		log = unstamped(log)
	}
	_, _ = io.WriteString(w, log)
}

func unstamped(log string) string {
	var b strings.Builder
	for line := range strings.Lines(log) {
		_, text, _ := strings.Cut(line, " ")
		b.WriteString(text)
	}
	return b.String()
}

// review answers whether the user may do something: all that is not denied.
func (s *runsServer) review(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var object runtime.Object
	if err == nil {
		object, _, err = scheme.Codecs.UniversalDeserializer().Decode(body, nil, nil)
	}
	review, ok := object.(*authzv1.SelfSubjectAccessReview)
	if !ok {
		http.Error(w, fmt.Sprintf("%T: %v", object, err), http.StatusBadRequest)
		return
	}
	asked := review.Spec.ResourceAttributes
	s.mu.Lock()
	review.Status.Allowed = !slices.Contains(s.deny, strings.TrimSuffix(asked.Verb+" "+asked.Resource+"/"+asked.Subresource, "/"))
	s.mu.Unlock()
	review.TypeMeta = metav1.TypeMeta{Kind: "SelfSubjectAccessReview", APIVersion: "authorization.k8s.io/v1"}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	_ = json.NewEncoder(w).Encode(review)
}
