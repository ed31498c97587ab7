package cmd

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// refuseEmpty is an error for each flag of the command that was given without
// a value: most often that of a variable that is not set, and to take it for
// "not given" would do something else than was meant. Flags of kubectl, which
// every command inherits, and those named in mayBe are not looked at.
func refuseEmpty(c *cobra.Command, mayBe ...string) error {
	var errs []error
	inherited := c.InheritedFlags()
	c.Flags().Visit(func(f *pflag.Flag) {
		if f.Value.Type() == "string" && strings.TrimSpace(f.Value.String()) == "" && inherited.Lookup(f.Name) == nil && !slices.Contains(mayBe, f.Name) {
			errs = append(errs, fmt.Errorf("--%s=%q: has no value; give one, or leave the flag out", f.Name, f.Value))
		}
	})
	return errors.Join(errs...)
}
