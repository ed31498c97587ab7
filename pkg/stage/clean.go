package stage

import (
	"context"
	"fmt"
	"slices"
)

// cleanAtOnce is how many names go into one request, which must stay short.
const cleanAtOnce = 16

// attempt is one try to receive a tree. It is named after the Pod that makes it, so that others can find out whether it may still be at
// work, and after the nonce of its receiving session.
type attempt struct {
	owner, nonce string
}

func (v *Volume) newAttempt() attempt { return attempt{owner: v.owner(), nonce: newNonce()} }

// String is the attempt as the scripts take it.
func (a attempt) String() string {
	if a.nonce == "" {
		return "0"
	}
	return a.owner + "-" + a.nonce
}

// remains are the names under which something of the attempt may lie on the volume: its work directory, before and after the receiving
// session began to remove it.
func (a attempt) remains(plan Plan) []string {
	return []string{"." + plan.TreeID + ".push-" + a.String(), ".trash-" + a.nonce + "-1"}
}

// dead returns those of the leftovers that nobody works in any more. The owners are asked for after the listing, so an owner that is
// not among them has ended; one that cannot be known is left alone. Something that is on its way to removal never is of use.
func (v *Volume) dead(ctx context.Context, leftovers []string) ([]string, error) {
	var alive map[string]bool
	var dead []string
	for _, name := range leftovers {
		if trashName.MatchString(name) {
			dead = append(dead, name)
			continue
		}
		owner := workName.FindStringSubmatch(name)
		if owner == nil || owner[1] == unknownOwner || v.Owners == nil {
			continue
		}
		if alive == nil {
			var err error
			if alive, err = v.Owners(ctx); err != nil {
				return dead, err
			}
		}
		if !alive[owner[1]] && owner[1] != v.owner() {
			dead = append(dead, name)
		}
	}
	return dead, nil
}

// clean removes work directories by name. The remote side renames each before it removes it: should somebody be at work in it after
// all, that push fails, and can still not publish a tree of which a part is gone.
func (v *Volume) clean(ctx context.Context, plan Plan, names []string) error {
	for some := range slices.Chunk(names, cleanAtOnce) {
		if err := v.ask(ctx, plan, call{script: cleanScript, arguments: some}, until(ansCleaned)); err != nil {
			return fmt.Errorf("remove what earlier pushes left on the shared volume: %w", err)
		}
	}
	return nil
}
