package rbac

import (
	"fmt"
	"os"
	"os/exec"
	"testing"
)

func TestMain(m *testing.M) {
	path, err := exec.LookPath("kubectl-tracebloc")
	if err != nil {
		fmt.Fprintln(os.Stderr, "the end-to-end tests need a cluster and the built plugin (make e2e brings both):", err)
		os.Exit(1)
	}
	fmt.Fprintln(os.Stderr, "testing", path)
	os.Exit(m.Run())
}
