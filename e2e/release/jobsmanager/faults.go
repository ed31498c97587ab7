package main

import (
	"encoding/json"
	"net/http"
	"sync"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release/fault"
)

// faultSwitch holds the faults that a test has set. They are forgotten when the Pod restarts.
type faultSwitch struct {
	mu  sync.Mutex
	now fault.Faults
}

func (f *faultSwitch) current() fault.Faults {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

// take counts one use of a counted fault, and says whether it applies.
func (f *faultSwitch) take(counter func(*fault.Faults) *int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := counter(&f.now)
	if *n <= 0 {
		return false
	}
	*n--
	return true
}

func (f *faultSwitch) set(v fault.Faults) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = v
}

func (f *faultSwitch) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /faults", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, f.current()) })
	mux.HandleFunc("DELETE /faults", func(w http.ResponseWriter, _ *http.Request) {
		f.set(fault.Faults{})
		writeJSON(w, http.StatusOK, f.current())
	})
	mux.HandleFunc("PUT /faults", func(w http.ResponseWriter, r *http.Request) {
		var v fault.Faults
		dec := json.NewDecoder(r.Body)
		dec.DisallowUnknownFields()
		if err := dec.Decode(&v); err != nil {
			writeJSON(w, http.StatusBadRequest, failure{Error: "bad_request", Detail: err.Error()})
			return
		}
		f.set(v)
		logf("faults: %+v", v)
		writeJSON(w, http.StatusOK, v)
	})
	return mux
}
