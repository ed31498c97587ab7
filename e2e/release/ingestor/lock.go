package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// lockLife is how long a lock file counts, contract/ingestor.md §3.1.
const lockLife = 12 * time.Hour

// holder is what a lock file says about its owner.
type holder struct {
	IngestorID string `json:"ingestor_id"`
	Table      string `json:"table_name"`
	PID        int    `json:"pid"`
	Hostname   string `json:"hostname"`
	StartedAt  string `json:"started_at"`
}

// lock takes the table's lock file. A killed Pod leaves it, and later runs are then refused until it is stale.
func (in *ingestor) lock() (unlock func(), err error) {
	path := filepath.Join(in.storage, ".tracebloc-ingest-"+in.config.table+".lock")
	data, err := json.Marshal(holder{in.id, in.config.table, os.Getpid(), in.hostname, in.now().UTC().Format(time.RFC3339)})
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(path); err == nil && in.now().Sub(info.ModTime()) > lockLife {
		if err := os.Remove(path); err != nil {
			return nil, &ingestError{pyOSError(err)}
		}
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if errors.Is(err, os.ErrExist) {
		owner, _ := os.ReadFile(path) // only for the message
		return nil, &ingestError{fmt.Sprintf("Another ingest is already running for table '%s' (lock at %s). Holder: %s. Wait for it to finish, or — if its pod crashed — remove the lock file manually. (The lock auto-clears after %ds.)",
			in.config.table, path, strings.TrimSpace(string(owner)), int(lockLife.Seconds()))}
	}
	if err != nil {
		return nil, &ingestError{pyOSError(err)}
	}
	_, err = f.Write(data)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, errors.Join(err, os.Remove(path))
	}
	return func() { _ = os.Remove(path) }, nil
}
