package stage

import (
	"context"
	"fmt"
)

// SparedError says that an entry was left as it is because it is not any more what was listed. Another look may tell more.
type SparedError struct {
	Path string
	// Held says that a session is at work in it; otherwise something of it has changed.
	Held bool
}

// Error says which of the two.
func (e *SparedError) Error() string { return fmt.Sprintf("%q: %s", e.Path, e.reason()) }

func (e *SparedError) reason() string {
	if e.Held {
		return "a push is at work in it"
	}
	return "it has changed since it was listed"
}

// Purge removes an entry of an Inventory, unless something of it has changed since, or sessions of other owners than those that are gone
// have places in its lock. It is renamed first, in one step, so whoever comes to use it finds all of it or nothing. One that is absent is no
// error. The error is a *SparedError, a *PlaceError, or one of the connection.
func (v *Volume) Purge(ctx context.Context, root string, e Entry, gone []string) error {
	place := e.Path(root)
	if !rootPath.MatchString(root) || !tableName.MatchString(e.Table) || kindOf(e.Name) != e.Kind || e.Kind == KindOther {
		return fmt.Errorf("remove %q: this tool has not made it", place)
	}
	words := []string{e.Name, e.kind, e.changed, e.record}
	for _, owner := range gone {
		if ownerName.MatchString(owner) {
			words = append(words, owner)
		}
	}
	plan := Plan{Root: root, Table: e.Table, TreeID: noTree}
	var step, text string
	err := v.persist(ctx, func() error {
		return v.ask(ctx, plan, call{task: "purge", words: words}, func(a answer) (bool, error) {
			step, text = "", ""
			if a.verb == ansSpared {
				step, text = a.field(0), a.text(1)
			}
			return a.verb == ansPurged || a.verb == ansSpared, nil
		})
	})
	switch {
	case err != nil:
		return fmt.Errorf("remove from the shared volume: %w", placeError(place, err))
	case step == "held", step == "changed", step == "type":
		return &SparedError{Path: place, Held: step == "held"}
	case step != "":
		return &PlaceError{Path: place, Reason: classify(step, text), Text: text}
	}
	return nil
}
