package cmd

import (
	"errors"
	"io"
)

// writeAccessHelp adds to an error about missing permissions what an admin needs
// to grant them: more than fits the one line of the error.
func writeAccessHelp(w io.Writer, err error) {
	var access interface{ Help() string }
	if errors.As(err, &access) {
		_, _ = io.WriteString(escapeWriter{w}, asStarted(access.Help())) // where the error itself went, nothing else can be done
	}
}
