package stage

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Kind is what a thing that a push has made is.
type Kind string

// The kinds of an Entry, and of an Item. A stage Pod is no Entry.
const (
	KindPod       Kind = "Pod"       // a stage Pod
	KindTree      Kind = "Tree"      // a published tree, with its sums and the record of its run
	KindWork      Kind = "Work"      // the work directory of a tree that is on its way
	KindTrash     Kind = "Trash"     // what was being removed
	KindTemporary Kind = "Temporary" // what a session tried the volume with
	KindOther     Kind = "Other"     // what does not look as if this tool had made it
)

const (
	// maxItems bounds what is believed of one table's listing, and the number of tables; maxEntries all of them together.
	maxItems   = 2000
	maxEntries = 20000
)

// Answers of the inventory.
const (
	ansClock  = "CLOCK"
	ansItem   = "ITEM"
	ansOther  = "OTHER"
	ansClosed = "CLOSED"
	ansMore   = "MORE"
	ansListed = "LISTED"
	ansPurged = "PURGED"
	ansSpared = "SPARED"
)

// Types of an Entry, as the remote side names them.
const (
	typeDirectory = "d"
	typeLink      = "l"
	typeNone      = "-" // only the sums or the record of a tree are there
)

// strangePlace stands among the Owners of an Entry for a place in its lock that no session takes.
const strangePlace = "?"

// Entry is one thing in the staging directory of the volume.
type Entry struct {
	Kind Kind
	// Table is empty for what lies beside the tables' directories.
	Table string
	// Name is the name in the table's directory. Of KindOther it is foreign text.
	Name string
	// Files and Bytes count its regular files, not the blocks that they take: files that trees share count in each. Both are -1 where
	// nobody counted.
	Files, Bytes int64
	// Age is how long ago something of it was last changed, by the clock of the Pod; -1 where nobody looked.
	Age time.Duration
	// UID is whom it belongs to; -1 when it cannot be told.
	UID int64
	// Record is that of the run that a tree was staged for; nil when there is none, or none that can be read.
	Record *Record
	// Owners are the UIDs of the Pods that have places in the lock of a work directory.
	Owners []string
	// Closed says that the Pod's user may not look into it.
	Closed bool

	kind, changed, record string // as the remote side said
}

// Inventory is what lies in the staging directory.
type Inventory struct {
	Entries []Entry
	// Truncated says that there is more.
	Truncated bool

	clock int64
}

// noTable and noTree are names that nobody has, for sessions that are about all of the tables, or all of one.
var (
	noTable = strings.Repeat("_", 64)
	noTree  = strings.Repeat("0", 16)
)

var (
	sweptName  = regexp.MustCompile(`^\.trash-[0-9a-z.-]{1,200}$`)
	triedName  = regexp.MustCompile(`^\.new-[0-9a-z.-]{1,200}$`)
	numberForm = regexp.MustCompile(`^-?[0-9]{1,18}$`)
	hexForm    = regexp.MustCompile(`^([0-9a-f]{2})+$`)
)

// Inventory lists what lies in the staging directory root, or only in that of the table when it is not empty. It changes nothing. The
// error is a *PlaceError where the volume refuses, a *GoneError when the Pod ended, or a *SessionError when the connection broke too often.
func (v *Volume) Inventory(ctx context.Context, root, table string) (Inventory, error) {
	plan := Plan{Root: root, Table: noTable, TreeID: noTree}
	words := []string{strconv.Itoa(maxItems)}
	if !rootPath.MatchString(root) {
		return Inventory{}, fmt.Errorf("staging directory %q: it must be an absolute path that ends in %q", root, "/"+Directory)
	}
	if table != "" {
		if !tableName.MatchString(table) {
			return Inventory{}, fmt.Errorf("table %q: a staged table has letters, digits and underscores only, at most 63", table)
		}
		plan.Table = table
		words = append(words, "one")
	}
	var found Inventory
	err := v.persist(ctx, func() error {
		found = Inventory{}
		return v.ask(ctx, plan, call{task: "inventory", words: words}, func(a answer) (bool, error) {
			found.note(root, table, a)
			return a.verb == ansListed || len(found.Entries) >= maxEntries, nil
		})
	})
	if err != nil {
		return Inventory{}, fmt.Errorf("look through the shared volume: %w", placeError(root, err))
	}
	found.Truncated = found.Truncated || len(found.Entries) >= maxEntries
	return found, nil
}

// note takes in one line of the listing; with a table, nothing of another.
func (in *Inventory) note(root, table string, a answer) {
	of := a.field(0)
	if of == typeNone {
		of = ""
	}
	switch {
	case a.verb == ansClock:
		in.clock, _ = integer(a.field(0))
		return
	case of != "" && !tableName.MatchString(of), table != "" && of != table:
		return
	}
	switch a.verb {
	case ansItem:
		if e, ok := in.item(a); ok {
			in.Entries = append(in.Entries, e)
		}
	case ansClosed:
		if of == "" {
			return
		}
		uid, _ := integer(a.field(1))
		in.Entries = append(in.Entries, Entry{Kind: KindOther, Table: of, Files: -1, Bytes: -1, Age: -1, UID: uid, Closed: true})
	case ansOther:
		dir := path.Join(root, of) + "/"
		names := strings.Split(a.text(1), "\x00")
		// What comes behind the last NUL was cut off.
		in.Truncated = in.Truncated || names[len(names)-1] != ""
		for _, name := range names[:len(names)-1] {
			in.Entries = append(in.Entries, Entry{
				Kind: KindOther, Table: of, Name: strings.TrimPrefix(name, dir), Files: -1, Bytes: -1, Age: -1, UID: -1,
			})
		}
	case ansMore:
		in.Truncated = true
	}
}

// item reads ITEM <table> <name> <type> <uid> <seconds> <files> <bytes> <owners> <record>.
func (in *Inventory) item(a answer) (Entry, bool) {
	if len(a.fields) != 9 || !tableName.MatchString(a.field(0)) {
		return Entry{}, false
	}
	e := Entry{Kind: kindOf(a.field(1)), Table: a.field(0), Name: a.field(1), kind: a.field(2), changed: a.field(4), record: a.field(8)}
	changed, ok := integer(e.changed)
	if !ok || e.Kind == KindOther || len(e.kind) != 1 || e.record != typeNone && !hexForm.MatchString(e.record) {
		return Entry{}, false
	}
	e.Age = time.Duration(max(0, min(in.clock-changed, int64(100*365*24*3600)))) * time.Second
	e.UID, _ = integer(a.field(3))
	e.Files, _ = integer(a.field(5))
	e.Bytes, _ = integer(a.field(6))
	if e.record != typeNone {
		text, _ := hex.DecodeString(e.record)
		e.Record = parseRecord(string(text))
		if e.Record != nil && !keyName.MatchString(e.Record.Key) {
			e.Record = nil
		}
	}
	for owner := range strings.SplitSeq(strings.TrimSuffix(a.field(7), ","), ",") {
		switch {
		case ownerName.MatchString(owner):
			e.Owners = append(e.Owners, owner)
		case owner != typeNone:
			e.Owners = append(e.Owners, strangePlace)
		}
	}
	return e, true
}

// kindOf sorts the names that this tool gives; all others are KindOther.
func kindOf(name string) Kind {
	switch {
	case treeName.MatchString(name):
		return KindTree
	case workName.MatchString(name):
		return KindWork
	case sweptName.MatchString(name):
		return KindTrash
	case triedName.MatchString(name):
		return KindTemporary
	}
	return KindOther
}

// integer is -1 for what is none.
func integer(text string) (int64, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || !numberForm.MatchString(text) {
		return -1, false
	}
	return n, true
}

// Path is where an entry lies below root.
func (e Entry) Path(root string) string { return path.Join(root, e.Table, e.Name) }

// PlaceError says why something on the volume cannot be looked at, or not be removed.
type PlaceError struct {
	// Path is where it lies in the Pod.
	Path   string
	Reason Reason
	// Text is what the tool said, at most 1 KiB, unescaped: it may hold file names.
	Text string
}

// Error gives the reason and quotes the tool.
func (e *PlaceError) Error() string {
	text := fmt.Sprintf("%q: %s", e.Path, e.Reason)
	if e.Text != "" {
		text += fmt.Sprintf(": %q", e.Text)
	}
	return text
}

// placeError words a refusal of the remote side for what is looked at, and not for a tree that is staged.
func placeError(place string, err error) error {
	var refused *VolumeError
	if !errors.As(err, &refused) {
		return err
	}
	return &PlaceError{Path: place, Reason: refused.Reason, Text: refused.Text}
}
