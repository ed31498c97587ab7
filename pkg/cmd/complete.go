package cmd

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/tracebloc/kubectl-tracebloc/pkg/dataset"
	"github.com/tracebloc/kubectl-tracebloc/pkg/progress"
)

// registerGlobalCompletions completes what the commands do not complete
// themselves. It goes last: it looks at every command and flag of the tree.
func registerGlobalCompletions(root *cobra.Command, getter genericclioptions.RESTClientGetter) {
	for name, f := range argCompletions() {
		c, _, err := root.Find(strings.Fields(name))
		if err != nil {
			panic(err) // a mistake in this program
		}
		c.ValidArgsFunction = f
	}
	flags := flagCompletions(getter)
	register := func(c *cobra.Command, set *pflag.FlagSet) {
		set.VisitAll(func(flag *pflag.Flag) {
			if flag.Value.Type() == "bool" || slices.Contains(anyFileFlags(), flag.Name) {
				return
			}
			if _, done := c.GetFlagCompletionFunc(flag.Name); done {
				return
			}
			f := flags[c.Name()+" --"+flag.Name]
			if f == nil {
				f = flags["--"+flag.Name]
			}
			if f == nil {
				// Without this a shell offers the files of the directory for a number.
				f = cobra.NoFileCompletions
			}
			completeFlag(c, flag.Name, f)
		})
	}
	register(root, root.PersistentFlags())
	for _, c := range root.Commands() {
		// Cobra remarks there how a completion ended; on stdout a shell would offer it.
		c.SetErr(root.ErrOrStderr())
		register(c, c.LocalNonPersistentFlags())
	}
}

// argCompletions are what commands take for arguments, where their files do not
// say it.
func argCompletions() map[string]cobra.CompletionFunc {
	return map[string]cobra.CompletionFunc{
		"":           cobra.NoFileCompletions,
		"push":       firstArg(completeFiles("csv")),
		"init":       firstArg(completeFiles("csv")),
		"validate":   completeFiles(specExtensions()...),
		"completion": firstArg(cobra.FixedCompletions(completionShells(), cobra.ShellCompDirectiveNoFileComp)),
		"version":    cobra.NoFileCompletions,
		"options":    cobra.NoFileCompletions,
	}
}

// flagCompletions are the values of flags, by flag or by command and flag.
func flagCompletions(getter genericclioptions.RESTClientGetter) map[string]cobra.CompletionFunc {
	return map[string]cobra.CompletionFunc{
		"--namespace":       completeNamespace(getter),
		"--context":         completeConfig(getter, func(c *clientcmdapi.Config) []string { return slices.Sorted(maps.Keys(c.Contexts)) }),
		"--cluster":         completeConfig(getter, func(c *clientcmdapi.Config) []string { return slices.Sorted(maps.Keys(c.Clusters)) }),
		"--user":            completeConfig(getter, func(c *clientcmdapi.Config) []string { return slices.Sorted(maps.Keys(c.AuthInfos)) }),
		"--cache-dir":       completeDirs,
		"--release":         completeRelease(getter),
		"--table":           completeTable(getter),
		"push --filename":   completeFiles(specExtensions()...),
		"push --output":     completeFormats(objectFormats()...),
		"init --output":     completeFiles("yaml", "yml"),
		"logs --filename":   completeFiles("log", "txt"),
		"validate --data":   completeFiles("csv"),
		"validate --output": completeFormats(validateFormats()[1:]...),
	}
}

// anyFileFlags take a file that no extension tells from others.
func anyFileFlags() []string {
	return []string{"kubeconfig", "certificate-authority", "client-certificate", "client-key", "template"}
}

func specExtensions() []string { return []string{"yaml", "yml", "json"} }

// completeFlag registers the completion of one flag; a name that the command
// does not have is a mistake in this program.
func completeFlag(c *cobra.Command, flag string, f cobra.CompletionFunc) {
	if err := c.RegisterFlagCompletionFunc(flag, f); err != nil {
		panic(err)
	}
}

// firstArg completes the one argument that a command takes.
func firstArg(f cobra.CompletionFunc) cobra.CompletionFunc {
	return func(c *cobra.Command, args []string, toComplete string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return f(c, args, toComplete)
	}
}

// completeFiles leaves it to the shell to list directories, and files with one
// of the extensions.
func completeFiles(extensions ...string) cobra.CompletionFunc {
	return func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return extensions, cobra.ShellCompDirectiveFilterFileExt
	}
}

func completeDirs(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveFilterDirs
}

// completeTask says of each task what its dataset is.
func completeTask(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	tasks := make([]cobra.Completion, 0, len(dataset.Tasks))
	for _, t := range dataset.Tasks {
		tasks = append(tasks, cobra.CompletionWithDesc(t.Name, t.Summary))
	}
	return tasks, cobra.ShellCompDirectiveNoFileComp
}

// completeFormats completes -o. A format that goes on behind an equals sign is
// not ended with a space.
func completeFormats(formats ...string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, toComplete string) ([]cobra.Completion, cobra.ShellCompDirective) {
		fit := slices.DeleteFunc(slices.Clone(formats), func(f string) bool { return !strings.HasPrefix(f, toComplete) })
		if len(fit) == 1 && strings.HasSuffix(fit[0], "=") {
			return fit, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
		}
		return fit, cobra.ShellCompDirectiveNoFileComp
	}
}

// completeConfig completes names that the kubeconfig has.
func completeConfig(getter genericclioptions.RESTClientGetter, names func(*clientcmdapi.Config) []string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, toComplete string) ([]cobra.Completion, cobra.ShellCompDirective) {
		config, err := getter.ToRawKubeConfigLoader().RawConfig()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		fit := func(name string) bool { return strings.HasPrefix(name, toComplete) && isSafeWord(name) }
		return slices.DeleteFunc(names(&config), func(name string) bool { return !fit(name) }), cobra.ShellCompDirectiveNoFileComp
	}
}

// isSafeWord reports whether a name may be offered to a shell. The completion
// scripts of older kubectls let bash expand what they are offered, so that a
// name with a dollar sign would be a command; and one with control characters
// could show another name than it is.
func isSafeWord(name string) bool {
	return name != "" && name == strings.TrimSpace(name) && progress.Escape(name) == name &&
		!strings.ContainsAny(name, "\n\t$`\\\"'<>(){}[]*?!;&|#") && !strings.ContainsAny(name[:1], "-_~=:")
}

// maxDescription is how many characters a shell shows of a description.
const maxDescription = 80

// described is a candidate with what it is; the text may be foreign.
func described(name, text string) cobra.Completion {
	text = cell(text)
	if utf8.RuneCountInString(text) > maxDescription {
		text = fmt.Sprintf("%s…", string([]rune(text)[:maxDescription-1]))
	}
	return cobra.CompletionWithDesc(name, text)
}
