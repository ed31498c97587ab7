package main

import (
	"encoding/json"
	"net/http"
	"sync"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release/fault"
)

// faultSwitch holds the faults that a test has set, for a table or for all that have none of their own (""). They are
// forgotten when the Pod restarts.
type faultSwitch struct {
	mu  sync.Mutex
	now map[string]*fault.Faults
}

// of returns the faults that count for a table, nil for none. The caller holds mu.
func (f *faultSwitch) of(table string) *fault.Faults {
	if own := f.now[table]; own != nil {
		return own
	}
	return f.now[""]
}

func (f *faultSwitch) current(table string) fault.Faults {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := f.of(table); now != nil {
		return *now
	}
	return fault.Faults{}
}

// take counts one use of a counted fault, and says whether it applies.
func (f *faultSwitch) take(table string, counter func(*fault.Faults) *int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.of(table)
	if now == nil {
		return false
	}
	n := counter(now)
	if *n <= 0 {
		return false
	}
	*n--
	return true
}

// set sets the faults of a table. nil takes them back: those of all tables count again.
func (f *faultSwitch) set(table string, v *fault.Faults) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.now == nil {
		f.now = map[string]*fault.Faults{}
	}
	f.now[table] = v
}

// handler serves /faults; the parameter table names the table, all of them without it.
func (f *faultSwitch) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /faults", func(w http.ResponseWriter, r *http.Request) {
		writeJSON(w, http.StatusOK, f.current(r.URL.Query().Get("table")))
	})
	mux.HandleFunc("DELETE /faults", func(w http.ResponseWriter, r *http.Request) {
		f.set(r.URL.Query().Get("table"), nil)
		writeJSON(w, http.StatusOK, f.current(r.URL.Query().Get("table")))
	})
	mux.HandleFunc("PUT /faults", func(w http.ResponseWriter, r *http.Request) {
		table := r.URL.Query().Get("table")
		var v fault.Faults
		dec := json.NewDecoder(r.Body)
		dec.DisallowUnknownFields()
		if err := dec.Decode(&v); err != nil {
			writeJSON(w, http.StatusBadRequest, failure{Error: "bad_request", Detail: err.Error()})
			return
		}
		f.set(table, &v)
		logf("faults of table %q: %+v", table, v)
		writeJSON(w, http.StatusOK, v)
	})
	return mux
}
