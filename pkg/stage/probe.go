package stage

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// maxLeftovers bounds what is believed of a listing.
const maxLeftovers = 1000

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
	// Leftovers are the work directories in the table's directory, those of other pushes that are still under way among them.
	Leftovers []string
}

// Probe looks at the volume, and tries whether it can be written. It leaves nothing behind. The error is a *VolumeError where the volume
// refuses, a *GoneError when the Pod ended, or a *SessionError when the connection broke too often.
func (v *Volume) Probe(ctx context.Context, plan Plan) (p Probe, err error) {
	patience := patience{volume: v}
	err = patience.persist(ctx, func() error {
		p, err = v.look(ctx, plan)
		return err
	})
	return p, err
}

// look is Probe, once.
func (v *Volume) look(ctx context.Context, plan Plan) (Probe, error) {
	p := Probe{FreeBytes: -1, FreeInodes: -1}
	seen := map[string]bool{}
	err := v.ask(ctx, plan, call{script: probeScript, arguments: plan.totals()}, func(a answer) (bool, error) {
		seen[a.verb] = true
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
		case ansWork:
			if isLeftover(a.field(0)) && len(p.Leftovers) < maxLeftovers {
				p.Leftovers = append(p.Leftovers, a.field(0))
			}
		case ansEnd:
			return true, nil
		}
		return false, nil
	})
	if err == nil && (!seen[ansTree] || !seen[ansDest]) {
		err = &SessionError{Err: errProtocol}
	}
	if err != nil {
		return Probe{}, fmt.Errorf("look at the shared volume: %w", err)
	}
	return p, nil
}

// Check returns a *SpaceError when the plan does not fit. A published tree needs nothing.
func (p Probe) Check(plan Plan) error {
	bytes, inodes := plan.Needs()
	if p.Published || (p.FreeBytes < 0 || bytes <= p.FreeBytes) && (p.FreeInodes < 0 || inodes <= p.FreeInodes) {
		return nil
	}
	return &SpaceError{NeedBytes: bytes, FreeBytes: p.FreeBytes, NeedInodes: inodes, FreeInodes: p.FreeInodes}
}

// totals are the arguments from which the remote side sees whether a tree is complete.
func (p Plan) totals() []string {
	return []string{strconv.Itoa(len(p.Manifest)), strconv.FormatInt(p.Manifest.Bytes(), 10)}
}

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
	workName  = regexp.MustCompile(`^\.[0-9a-f]{16}\.push-([0-9a-f-]{1,64})-[0-9a-f]{16}$`)
	trashName = regexp.MustCompile(`^\.trash-[0-9a-f]{16}-[0-9]{1,9}$`)
)

func isLeftover(name string) bool { return workName.MatchString(name) || trashName.MatchString(name) }
