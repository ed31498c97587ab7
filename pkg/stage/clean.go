package stage

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// cleanAtOnce is how many names go into one request, which must stay short.
const cleanAtOnce = 16

// dead returns those of the leftovers that nobody works in any more, each with the owners that it had: "<name>:<owner>:<owner>". The owners are asked for after the listing, so an owner that is
// not among them has ended. Something that is on its way to removal never is of use.
func (v *Volume) dead(ctx context.Context, leftovers []Leftover) []string {
	var alive map[string]string
	var names []string
	for _, l := range leftovers {
		if alive == nil && len(l.Owners) > 0 {
			n := v.now()
			if n.Owners == nil {
				continue
			}
			var err error
			if alive, err = n.Owners(ctx); err != nil {
				return names
			}
		}
		if !slices.ContainsFunc(l.Owners, func(owner string) bool { _, there := alive[owner]; return there }) {
			names = append(names, strings.Join(append([]string{l.Name}, l.Owners...), ":"))
		}
	}
	return names
}

// clean removes work directories by what dead returned. The remote side renames each before it removes it: should somebody be at work in it after
// all, that push fails, and can still not publish a tree of which a part is gone.
func (v *Volume) clean(ctx context.Context, plan Plan, names []string) error {
	for some := range slices.Chunk(names, cleanAtOnce) {
		if err := v.ask(ctx, plan, call{task: "clean", words: some}, until(ansCleaned)); err != nil {
			return fmt.Errorf("remove what earlier pushes left on the shared volume: %w", err)
		}
	}
	return nil
}
