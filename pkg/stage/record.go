package stage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"
)

// anyKey stands for no key in the scripts.
const anyKey = "-"

var keyName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

// Record is what is kept beside a staged tree about the run that reads it, so that a push that was interrupted after the submit can ask
// for the same run again.
type Record struct {
	// Key is the idempotency key.
	Key string `json:"key"`
	// SpecSHA256 is the digest of the canonical spec, in hex.
	SpecSHA256 string `json:"spec_sha256"`
	// Table is the destination table.
	Table string `json:"table"`
	// Created is when the key was made; it is kept in UTC and whole seconds.
	Created time.Time `json:"created"`
}

// RecordError says that the tree's run record is that of another run than was expected.
type RecordError struct {
	// Record is the one on the volume; nil when it cannot be read.
	Record *Record
}

// Error names the key.
func (e *RecordError) Error() string {
	if e.Record == nil {
		return "the staged data belongs to another run, whose record cannot be read (push again with another --table)"
	}
	return fmt.Sprintf("the staged data belongs to the run %q (kubectl tracebloc status %s)", e.Record.Key, e.Record.Key)
}

// WriteRecord stores r beside the published tree. replaces is the key of the record that it may take the place of, "" when there must
// be none: of two pushes of the same data that store at once, one wins, and the other gets a *RecordError with the winner's record.
func (v *Volume) WriteRecord(ctx context.Context, plan Plan, r Record, replaces string) error {
	if !keyName.MatchString(r.Key) || replaces != "" && !keyName.MatchString(replaces) {
		return fmt.Errorf("run record: key %q: letters, digits, '.', '_' and '-' only, at most 63", r.Key)
	}
	r.Created = r.Created.UTC().Truncate(time.Second)
	text, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("run record: %w", err)
	}
	if len(text) > 1000 {
		return fmt.Errorf("run record: %d bytes are too many", len(text))
	}
	if replaces == "" {
		replaces = anyKey
	}
	err = v.persist(ctx, func() error {
		err := recordError(v.ask(ctx, plan, call{task: "record", words: []string{replaces, string(text)}}, until(ansStored)))
		var taken *RecordError
		if errors.As(err, &taken) && taken.Record != nil && *taken.Record == r {
			return nil // it was stored before, and the answer was lost
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("store the run record on the shared volume: %w", err)
	}
	return nil
}

// Remove removes the published tree and its record. With a key it does so only when the record is absent or that of key, else the error
// is a *RecordError: the tree may be what another run reads. A tree that is not there is no error.
func (v *Volume) Remove(ctx context.Context, plan Plan, key string) error {
	if key == "" {
		key = anyKey
	} else if !keyName.MatchString(key) {
		return fmt.Errorf("remove the staged data: key %q: letters, digits, '.', '_' and '-' only, at most 63", key)
	}
	err := v.persist(ctx, func() error {
		return recordError(v.ask(ctx, plan, call{task: "remove", words: []string{key}}, until(ansRemoved)))
	})
	if err != nil {
		return fmt.Errorf("remove the staged data from the shared volume: %w", err)
	}
	return nil
}

// recordError makes the conflict that the remote side reports into one that can be acted upon.
func recordError(err error) error {
	var refused *VolumeError
	if errors.As(err, &refused) && refused.Reason == Conflict {
		return &RecordError{Record: parseRecord(refused.Text)}
	}
	return err
}
