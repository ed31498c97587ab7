package main

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// zoo is a command tree with everything that a help text can hold.
func zoo() *cobra.Command {
	root := &cobra.Command{
		Use:         "kubectl-zoo",
		Annotations: map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl zoo"},
		Short:       "Keep animals",
		Long:        "kubectl zoo keeps animals.\n\n It feeds them as well; see .zoorc and 'zoo'.",
		RunE:        func(*cobra.Command, []string) error { return nil },

		DisableFlagsInUseLine: true,
	}
	root.PersistentFlags().StringP("namespace", "n", "", "If present, the namespace scope")
	feed := &cobra.Command{
		Use:   "feed ANIMAL",
		Short: "Give food",
		Long: "Give food, which is \"good\" ~ ^^ `cheap`, C:\\food and über-fresh.\n\n" +
			".hidden files are food too. This is a long line, so that it has to be broken somewhere; and the next line may begin with\n...\n\n" +
			"  * hay, for\nhorses\n  * fish\n\n    kubectl zoo feed --all\n    .\n\n" +
			"Exit codes:\n\n  * 0: done\n  * 130: interrupted",
		Example: "  # Give hay\n  kubectl zoo feed horse --what=hay\n  \n  # Twice\n  kubectl zoo feed horse\n  kubectl zoo feed 'horse' -w \"hay\"",
		RunE:    func(*cobra.Command, []string) error { return nil },

		DisableFlagsInUseLine: true,
	}
	feed.Flags().StringP("what", "w", "fish", "Food, or - for nothing")
	feed.Flags().Bool("all", false, "Feed `everybody`")
	feed.Flags().String("secret", "", "Not shown")
	_ = feed.Flags().MarkHidden("secret")
	clean := &cobra.Command{Use: "clean", Short: "Clean cages", RunE: feed.RunE, DisableFlagsInUseLine: true}
	gone := &cobra.Command{Use: "gone", Short: "Gone", Hidden: true, RunE: feed.RunE}
	root.AddCommand(feed, clean, gone)
	return root
}

func TestManPage(t *testing.T) {
	root := zoo()
	for _, c := range available(root) {
		t.Run(manFile(c), func(t *testing.T) {
			got := manPage(c, edition{version: "v1.2.3", date: "2026-11-24"})
			golden := filepath.Join("testdata", "man", manFile(c))
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("differs (-want +got); run the test with -update if this is meant:\n%s", diff)
			}
			checkTroff(t, got)
			rendered(t, golden)
		})
	}
}

// Every command has a page, and its page has what its help has.
func TestManPages(t *testing.T) {
	dir := t.TempDir()
	if err := run([]string{"-man", "-version", "v1.2.3", "-date", "2026-11-24", filepath.Join(dir, "man1")}); err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, c := range available(newRoot()) {
		want = append(want, manFile(c))
		text, err := os.ReadFile(filepath.Join(dir, "man1", manFile(c)))
		if err != nil {
			t.Fatal(err)
		}
		page := string(text)
		checkTroff(t, page)
		sections := regexp.MustCompile(`(?m)^\.SH "(.+)"$`).FindAllStringSubmatch(page, -1)
		for _, needed := range []string{"NAME", "SYNOPSIS", "DESCRIPTION", "SEE ALSO"} {
			if !slices.ContainsFunc(sections, func(m []string) bool { return m[1] == needed }) {
				t.Errorf("%s has no section %s", manFile(c), needed)
			}
		}
		if strings.Contains(page, "Exit codes:") || strings.Contains(c.Long, "Exit codes:") != strings.Contains(page, `.SH "EXIT STATUS"`) {
			t.Errorf("%s: the exit codes are not in a section of their own", manFile(c))
		}
		for line := range strings.Lines(c.Example) {
			line = strings.TrimSpace(line)
			if line != "" && line[0] != '#' && !strings.Contains(page, escape(line)+"\n") {
				t.Errorf("%s lacks the example %q", manFile(c), line)
			}
		}
		rendered(t, filepath.Join(dir, "man1", manFile(c)))
	}
	entries, err := os.ReadDir(filepath.Join(dir, "man1"))
	if err != nil {
		t.Fatal(err)
	}
	got := make([]string, 0, len(entries))
	for _, e := range entries {
		got = append(got, e.Name())
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pages (-commands +files):\n%s", diff)
	}
	if len(got) < 10 {
		t.Errorf("only %d pages", len(got))
	}
}

// Whoever generates the pages, and when, must not show.
func TestManPagesAreReproducible(t *testing.T) {
	read := func(home, zone string) map[string]string {
		t.Setenv("HOME", home)
		t.Setenv("KUBECACHEDIR", "")
		t.Setenv("TZ", zone)
		dir := t.TempDir()
		if err := run([]string{"-man", dir}); err != nil {
			t.Fatal(err)
		}
		return pages(t, dir)
	}
	if diff := cmp.Diff(read("/home/user", "UTC"), read("/home/other", "Asia/Tokyo")); diff != "" {
		t.Error(diff)
	}
}

func TestRunRefuses(t *testing.T) {
	for _, args := range [][]string{
		{},
		{"a", "b"},
		{"-man"},
		{"-version", "v1", "dir"},
		{"-man", "-date", "yesterday", "dir"},
		{"-man", "-date", "2026-11-24T10:00:00Z", "dir"},
	} {
		t.Chdir(t.TempDir())
		if err := run(args); err == nil {
			t.Errorf("%q is not refused", args)
		}
		if entries, err := os.ReadDir("."); err != nil || len(entries) > 0 {
			t.Errorf("%q has written %v (%v)", args, entries, err)
		}
	}
}

// order is a line with one of the macros that man(7) knows and that are written here.
var order = regexp.MustCompile(`^\.(TH|SH|PP|TP|RS|RE|EX|EE|nh|ad l|IP \\\(bu 2)( "[^"]*")*$`)

// checkTroff holds a page against what any program that reads man pages understands.
func checkTroff(t *testing.T, page string) {
	t.Helper()
	if strings.Count(page, ".EX\n") != strings.Count(page, ".EE\n") || strings.Count(page, ".RS ") != strings.Count(page, ".RE\n") {
		t.Error("an .EX or .RS is not closed")
	}
	if strings.Count(page, `\fB`) != strings.Count(page, `\fR`) {
		t.Error("a change of the font is not taken back")
	}
	for line := range strings.Lines(page) {
		line = strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, ".") && !order.MatchString(line), strings.HasPrefix(line, "'"):
			t.Errorf("no order: %q", line)
		case strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r > '~' }):
			t.Errorf("not ASCII, or a control character: %q", line)
		}
	}
}

// rendered gives the page to groff and to mandoc, where they are there, with all their warnings. checkTroff has seen it in any case.
func rendered(t *testing.T, file string) {
	t.Helper()
	for _, line := range [][]string{
		{"groff", "-ww", "-man", "-Tutf8", "-z", file},
		{"mandoc", "-T", "lint", "-W", "warning", file},
	} {
		program, err := exec.LookPath(line[0])
		if err != nil {
			continue
		}
		out, err := exec.CommandContext(t.Context(), program, line[1:]...).CombinedOutput()
		if err != nil || len(out) > 0 {
			t.Errorf("%s: %v\n%s", line[0], err, out)
		}
	}
}
