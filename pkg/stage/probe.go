package stage

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// maxListed bounds what is believed of a listing.
const maxListed = 1000

// Probe is what the volume has for a plan.
type Probe struct {
	// Published says that the tree is there, complete: nothing needs to be sent.
	Published bool
	// Damaged says that something else has the tree's name; a transfer replaces it.
	Damaged bool
	// FreeBytes and FreeInodes are what the Pod's user may still use; -1 where the volume does not say.
	FreeBytes, FreeInodes int64
	// DestinationExists says that the table's directory of ingested files is there and not empty: the ingestor will refuse it.
	DestinationExists bool
	// Record is that of the last run of this tree, or nil.
	Record *Record
	// Older are published trees of the table that others were pushed under before.
	Older []string
	// Leftovers are other work directories of the table, those of pushes that are still under way among them.
	Leftovers []Leftover

	resumable bool   // an earlier attempt left verified files
	holder    string // the owner that has the lock, "" when it is ours
}

// Leftover is something in the table's directory that a push has left, or is still at work in.
type Leftover struct {
	Name string
	// Owners are the UIDs of the Pods whose sessions were at work in it when it was seen.
	Owners []string
}

// Probe looks at the volume, and tries whether it can be written. It leaves nothing behind. The error is a *VolumeError where the volume
// refuses, a *GoneError when the Pod ended, or a *SessionError when the connection broke too often.
func (v *Volume) Probe(ctx context.Context, plan Plan) (p Probe, err error) {
	err = v.persist(ctx, func() error {
		s, probe, err := v.lead(ctx, plan)
		if err != nil {
			return err
		}
		p = probe
		s.quit()
		return nil
	})
	return p, err
}

// lead opens a session that looks first, and takes its place in the lock unless the tree is there or somebody else holds it.
func (v *Volume) lead(ctx context.Context, plan Plan) (*session, Probe, error) {
	p := Probe{FreeBytes: -1, FreeInodes: -1}
	s := v.open(ctx, plan, call{reads: true, words: append([]string{"lead"}, plan.totals()...)})
	seen := map[string]bool{}
	err := s.read(plan, func(a answer) (bool, error) {
		seen[a.verb] = true
		p.note(a)
		return a.verb == ansReady, nil
	})
	if err == nil && (!seen[ansTree] || !seen[ansDest]) {
		err = &SessionError{Err: errProtocol}
	}
	if err != nil {
		s.close()
		return nil, Probe{}, fmt.Errorf("look at the shared volume: %w", err)
	}
	return s, p, nil
}

// note takes in one line of the listing.
func (p *Probe) note(a answer) {
	switch a.verb {
	case ansSpace:
		if blocks := parseDF(a.text(0)); blocks >= 0 && blocks < 1<<53 {
			p.FreeBytes = blocks * 1024
		}
	case ansInodes:
		p.FreeInodes = parseDF(a.text(0))
	case ansTree:
		p.Published, p.Damaged = a.field(0) == "present", a.field(0) == "damaged"
	case ansDest:
		p.DestinationExists = a.field(0) == "present"
	case ansRecord:
		p.Record = parseRecord(a.text(0))
	case ansOlder:
		if treeName.MatchString(a.field(0)) && len(p.Older) < maxListed {
			p.Older = append(p.Older, a.field(0))
		}
	case ansWork:
		if l, ok := parseLeftover(a.fields); ok && len(p.Leftovers) < maxListed {
			p.Leftovers = append(p.Leftovers, l)
		}
	case ansHeld:
		p.holder = unknownOwner
		if owner, _, _ := strings.Cut(a.field(0), "."); ownerName.MatchString(owner) {
			p.holder = owner
		}
	case ansLocked:
		p.holder, p.resumable = "", a.field(0) == "some"
	}
}

// Check returns a *SpaceError when bytes and inodes, as Needs counts them, do not fit.
func (p Probe) Check(bytes, inodes int64) error {
	if (p.FreeBytes < 0 || bytes <= p.FreeBytes) && (p.FreeInodes < 0 || inodes <= p.FreeInodes) {
		return nil
	}
	return &SpaceError{NeedBytes: bytes, FreeBytes: p.FreeBytes, NeedInodes: inodes, FreeInodes: p.FreeInodes}
}

// totals are the arguments from which the remote side sees whether a tree is complete.
func (p Plan) totals() []string {
	return []string{strconv.Itoa(len(p.Manifest)), strconv.FormatInt(p.Manifest.Bytes(), 10)}
}

func (p Plan) totalsLine() string { return strings.Join(p.totals(), " ") }

// parseDF returns the available number of a line of df -P: the one before the percentage, since the file system's name may hold spaces.
// It is -1 where the file system does not count, which then shows a total of 0 or a dash.
func parseDF(line string) int64 {
	words := strings.Fields(line)
	for i := len(words) - 1; i >= 3; i-- {
		if words[i] != "-" && !strings.HasSuffix(words[i], "%") {
			continue
		}
		total, err := strconv.ParseInt(words[i-3], 10, 64)
		if err != nil || total <= 0 {
			return -1
		}
		free, err := strconv.ParseInt(words[i-1], 10, 64)
		if err != nil || free < 0 {
			return -1
		}
		return free
	}
	return -1
}

func parseRecord(text string) *Record {
	var r Record
	if json.Unmarshal([]byte(text), &r) != nil || r.Key == "" {
		return nil
	}
	return &r
}

var (
	treeName  = regexp.MustCompile(`^[0-9a-f]{16}$`)
	workName  = regexp.MustCompile(`^\.[0-9a-f]{16}\.push$`)
	trashName = regexp.MustCompile(`^\.trash-[0-9a-f]{16}-[0-9]{1,9}$`)
)

// parseLeftover reads a name and the places in its lock, "<owner>.<nonce>".
func parseLeftover(fields []string) (Leftover, bool) {
	l := Leftover{}
	for i, field := range fields {
		owner, _, placed := strings.Cut(field, ".")
		switch {
		case i == 0:
			l.Name = field
		case placed && ownerName.MatchString(owner):
			l.Owners = append(l.Owners, owner)
		}
	}
	return l, workName.MatchString(l.Name) || trashName.MatchString(l.Name)
}
