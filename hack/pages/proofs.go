package pages

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Proofs are the lines that neither pkg/cmd nor e2e/docs can run, with what proves them all the same. Tests hold that each proof is
// there, and that each entry is needed.
func Proofs() []Proof {
	return []Proof{
		// Installing.
		{Match: `kubectl krew install tracebloc`, Test: "e2e/krew"},
		{Match: `kubectl krew install --manifest-url=.*/tracebloc\.yaml`, Test: "e2e/krew"},
		{Match: `curl -fsSLO https://raw\.githubusercontent\.com/.*/hack/install\.sh`, Why: "it fetches the file that hack/install tests, from a branch that is public"},
		{Match: `sh install\.sh`, Test: "hack/install TestInstall"},
		{Match: `curl -fsSLO https://.*/kubectl-tracebloc\.rb`, Why: "it fetches what hack/dist renders, and tests, from a release that is public"},
		{Match: `brew install --formula \./kubectl-tracebloc\.rb`, Why: "there is no Homebrew here; hack/dist tests what the formula says"},

		// Completion in other shells than bash.
		{Match: `source <\(kubectl completion (bash|zsh)\)`, Test: "e2e/completion TestKubectl"},

		// Verifying and making a release.
		{Match: `git (tag -a|push origin) v1\.2\.3.*`, Why: "it makes a release"},
		{Match: `git clone --branch v1\.2\.3 .*`, Why: "it needs a release that is public"},
		{Match: `curl -fsSLO \$base/SHA256SUMS .*`, Why: "it needs a release that is public"},
		{Match: `cosign verify-blob --bundle SHA256SUMS\.sigstore\.json .*`, Test: "hack/install TestSignature"},
		{Match: `sha256sum --check --ignore-missing SHA256SUMS`, Test: "hack/install TestSums"},
		{Match: `gh attestation verify .*`, Why: "it asks GitHub about a release that is public"},
		{Match: `make -C kubectl-tracebloc dist`, Test: "e2e/dist TestRebuildIsTheSame"},
		{Match: `diff kubectl-tracebloc/dist/SHA256SUMS SHA256SUMS`, Test: "e2e/dist TestRebuildIsTheSame"},
	}
}

// Missing is an error when what the proof names is not in the repository.
func (p Proof) Missing(root string) error {
	named := 0
	for _, s := range []string{p.Test, p.Target, p.Why} {
		if s != "" {
			named++
		}
	}
	if named != 1 {
		return fmt.Errorf("a proof has one of Test, Target and Why, this has %d", named)
	}
	switch {
	case p.Test != "":
		return missingTest(root, p.Test)
	case p.Target != "":
		text, err := os.ReadFile(filepath.Join(root, "Makefile"))
		if err != nil {
			return err
		}
		for target := range strings.FieldsSeq(p.Target) {
			if !strings.Contains(string(text), "\n"+target+":") {
				return fmt.Errorf("the Makefile has no target %q", target)
			}
		}
	}
	return nil
}

// missingTest looks for a test function, or for any where only the directory is named.
func missingTest(root, test string) error {
	dir, name, _ := strings.Cut(test, " ")
	if name == "" {
		name = "Test"
	} else {
		name += "("
	}
	files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(dir), "*_test.go"))
	if err != nil {
		return err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if strings.Contains(string(text), "\nfunc "+name) {
			return nil
		}
	}
	return fmt.Errorf("there is no test %q", test)
}
