package run

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// fill sets every exported field below v, so that a field that is forgotten
// somewhere is missed there.
func fill(t *testing.T, v reflect.Value, depth int) {
	t.Helper()
	if depth > 20 {
		t.Fatalf("%s has no end", v.Type())
	}
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(time.Unix(1_700_000_000, 0)))
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem(), depth+1)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(t, v.Field(i), depth+1)
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(t, v.Index(i), depth+1)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(t, key, depth+1)
		fill(t, value, depth+1)
		v.SetMapIndex(key, value)
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(7)
	case reflect.Uint8:
		v.SetUint(7)
	case reflect.Float64:
		v.SetFloat(7.5)
	default:
		t.Fatalf("fields of type %s are not filled; teach this test", v.Type())
	}
}

// shared names the memory that a and b have in common.
func shared(a, b reflect.Value, path string) []string {
	var found []string
	switch a.Kind() {
	case reflect.Pointer:
		if !a.IsNil() && a.Pointer() == b.Pointer() {
			return []string{path}
		}
		if !a.IsNil() && !b.IsNil() {
			found = shared(a.Elem(), b.Elem(), path)
		}
	case reflect.Struct:
		if a.Type() == reflect.TypeFor[time.Time]() {
			return nil // its zone is shared by all times
		}
		for i := range a.NumField() {
			found = append(found, shared(a.Field(i), b.Field(i), path+"."+a.Type().Field(i).Name)...)
		}
	case reflect.Slice, reflect.Map:
		if a.Len() > 0 && a.Pointer() == b.Pointer() {
			return []string{path}
		}
		if a.Kind() == reflect.Slice {
			for i := range min(a.Len(), b.Len()) {
				found = append(found, shared(a.Index(i), b.Index(i), path)...)
			}
		}
	}
	return found
}

func TestDeepCopy(t *testing.T) {
	t.Parallel()
	for _, object := range []runtime.Object{&IngestionRun{}, &IngestionRunList{}} {
		value := reflect.ValueOf(object)
		fill(t, value.Elem(), 0)
		twin := object.DeepCopyObject()
		if diff := cmp.Diff(object, twin); diff != "" {
			t.Errorf("%T (-want +got):\n%s", object, diff)
		}
		if common := shared(value, reflect.ValueOf(twin), ""); len(common) > 0 {
			t.Errorf("%T: the copy shares %s", object, strings.Join(common, ", "))
		}
	}
	if (*IngestionRun)(nil).DeepCopy() != nil || (*IngestionRunList)(nil).DeepCopyObject() != nil || (*IngestionRun)(nil).DeepCopyObject() != nil {
		t.Error("a copy of nothing is something")
	}
	empty := NewIngestionRun("ml")
	if diff := cmp.Diff(empty, empty.DeepCopy()); diff != "" {
		t.Errorf("empty (-want +got):\n%s", diff)
	}
}

// What is printed can be read again, and a list has an array even when empty.
func TestIngestionRunJSON(t *testing.T) {
	t.Parallel()
	var full IngestionRun
	fill(t, reflect.ValueOf(&full).Elem(), 0)
	full.ManagedFields = nil // raw JSON, which nobody prints
	text, err := json.Marshal(full)
	if err != nil {
		t.Fatal(err)
	}
	var again IngestionRun
	if err := json.Unmarshal(text, &again); err != nil {
		t.Fatal(err)
	}
	second, err := json.Marshal(again)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(text), string(second)); diff != "" {
		t.Errorf("read and written again (-want +got):\n%s", diff)
	}
	text, err = json.Marshal(NewIngestionRunList(nil))
	if want := `{"kind":"IngestionRunList","apiVersion":"tracebloc.io/v1alpha1","metadata":{},"items":[]}`; err != nil || string(text) != want {
		t.Errorf("got %s, %v", text, err)
	}
	text, err = json.Marshal(NewIngestionRun("ml"))
	if want := `{"kind":"IngestionRun","apiVersion":"tracebloc.io/v1alpha1","metadata":{"namespace":"ml"},"spec":{},"status":{"phase":""}}`; err != nil || string(text) != want {
		t.Errorf("got %s, %v", text, err)
	}
}

func TestSetOutcome(t *testing.T) {
	t.Parallel()
	n := int64(3)
	started, finished := time.Unix(1_700_000_000, 5).UTC(), time.Unix(1_700_000_100, 0).UTC()
	r := NewIngestionRun("ml")
	r.Status.Step, r.Status.Job = "follow", "j"
	r.SetOutcome(Outcome{State: PhaseRunning, Reason: "waits"})
	want := IngestionRunStatus{Phase: PhaseRunning, Message: "waits", Step: "follow", Job: "j"}
	if diff := cmp.Diff(want, r.Status); diff != "" {
		t.Errorf("running (-want +got):\n%s", diff)
	}
	r.SetOutcome(Outcome{State: PhaseSucceeded, Warnings: []string{"w"}, Job: "k", Attempts: 2, Started: started, Finished: finished, Banner: &Banner{Table: "ds_1", Inserted: &n}})
	r.SetExitCode(0)
	zero := 0
	want = IngestionRunStatus{
		Phase: PhaseSucceeded, Warnings: []string{"w"}, Step: "follow", Job: "k", ExitCode: &zero, Attempts: 2, DestinationTable: "ds_1", Records: &RecordsStatus{Inserted: &n},
		Started: &metav1.Time{Time: started.Truncate(time.Second)}, Finished: &metav1.Time{Time: finished},
	}
	if diff := cmp.Diff(want, r.Status); diff != "" {
		t.Errorf("succeeded (-want +got):\n%s", diff)
	}
}

func TestPhases(t *testing.T) {
	t.Parallel()
	for phase, want := range map[Phase][2]bool{ // active, ended
		PhasePlanned: {}, PhaseRefused: {}, PhaseDetached: {}, PhaseUnknown: {},
		PhasePending: {true, false}, PhaseRunning: {true, false},
		PhaseComplete: {false, true}, PhaseSucceeded: {false, true}, PhaseSucceededWithLosses: {false, true}, PhaseFailed: {false, true}, PhaseCanceled: {false, true},
	} {
		r := &IngestionRun{Status: IngestionRunStatus{Phase: phase}}
		if r.Active() != want[0] || (Outcome{State: phase}).Active() != want[0] || phase.Ended() != want[1] {
			t.Errorf("%s: active %t, ended %t", phase, r.Active(), phase.Ended())
		}
	}
}
