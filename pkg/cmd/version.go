package cmd

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/kubectl/pkg/util/templates"
	"sigs.k8s.io/yaml"

	"github.com/tracebloc/kubectl-tracebloc/pkg/progress"
	"github.com/tracebloc/kubectl-tracebloc/pkg/release"
)

// Set by the linker in released builds, as main.version is; nothing else writes them.
var gitCommit, gitTreeState, commitDate string

var versionLong = templates.LongDesc(`
	Print the version of the plugin, and of the client release in the namespace.`)

var versionExample = templates.Examples(`
	# The plugin and the release
	kubectl tracebloc version

	# The plugin only; no cluster is needed
	kubectl tracebloc version --client`)

type versionOptions struct {
	clientOnly bool
	release    string
	output     string

	version string
	getter  genericclioptions.RESTClientGetter

	genericiooptions.IOStreams
}

// versions is what -o json and -o yaml print.
type versions struct {
	ClientVersion clientVersion   `json:"clientVersion"`
	Release       *releaseVersion `json:"release,omitempty"`
}

type clientVersion struct {
	Version string `json:"version"`
	buildCommit
	GoVersion string `json:"goVersion"`
	Platform  string `json:"platform"`
}

// buildCommit is what a binary was built from. It is empty where that was no repository.
type buildCommit struct {
	GitCommit    string `json:"gitCommit,omitempty"`
	GitTreeState string `json:"gitTreeState,omitempty"` // clean or dirty
	CommitDate   string `json:"commitDate,omitempty"`   // RFC 3339
}

type releaseVersion struct {
	Name          string `json:"name"`
	Namespace     string `json:"namespace"`
	ChartVersion  string `json:"chartVersion"`
	IngestorImage string `json:"ingestorImage,omitempty"`
}

// newVersionCommand prints versions, as kubectl version does.
func newVersionCommand(version string, getter genericclioptions.RESTClientGetter, streams genericiooptions.IOStreams) *cobra.Command {
	o := &versionOptions{version: version, getter: getter, IOStreams: streams}
	c := &cobra.Command{
		Use:     "version",
		Short:   "Print the version of the plugin and of the release",
		Long:    versionLong + "\n\n" + exitCodes(exitSpec, exitRelease, exitAuth),
		Example: versionExample,

		DisableFlagsInUseLine: true,
		Args:                  noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return o.run(c.Context())
		},
	}
	c.Flags().BoolVar(&o.clientOnly, "client", o.clientOnly, "Print the version of the plugin only; no cluster is asked")
	c.Flags().StringVar(&o.release, "release", o.release, "Helm release of the tracebloc client, where a namespace has several")
	c.Flags().StringVarP(&o.output, "output", "o", o.output, "Output format, json or yaml")
	completeFlag(c, "output", cobra.FixedCompletions([]string{"json", "yaml"}, cobra.ShellCompDirectiveNoFileComp))
	return c
}

func (o *versionOptions) run(ctx context.Context) error {
	v := versions{ClientVersion: newClientVersion(o.version, buildCommit{gitCommit, gitTreeState, commitDate}, debug.ReadBuildInfo)}
	var releaseErr error
	if !o.clientOnly {
		v.Release, releaseErr = o.ask(ctx)
	}
	if err := v.print(o.Out, o.output); err != nil {
		return err
	}
	return fail(exitRelease, releaseErr)
}

// newClientVersion adds to version the commit: the one that the linker was told, else the one that Go has found itself.
func newClientVersion(version string, told buildCommit, read func() (*debug.BuildInfo, bool)) clientVersion {
	v := clientVersion{Version: version, buildCommit: told, GoVersion: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := read()
	if !ok || told.GitCommit != "" {
		return v
	}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			v.GitCommit = setting.Value
		case "vcs.time":
			v.CommitDate = setting.Value
		case "vcs.modified":
			v.GitTreeState = "clean"
			if setting.Value == "true" {
				v.GitTreeState = "dirty"
			}
		}
	}
	return v
}

// ask finds the release; the version of the plugin is worth printing without it.
func (o *versionOptions) ask(ctx context.Context) (*releaseVersion, error) {
	c, err := connect(o.getter)
	if err != nil {
		return nil, err
	}
	r, steps := release.Inspect(ctx, c.client, c.namespace, o.release)
	if r.Name == "" {
		for _, step := range steps {
			if step.Err != nil {
				return nil, step.Err
			}
		}
	}
	return &releaseVersion{Name: r.Name, Namespace: r.Namespace, ChartVersion: r.ChartVersion, IngestorImage: r.IngestorImage}, nil
}

func (v versions) print(out io.Writer, format string) error {
	switch format {
	case "json":
		text, err := json.MarshalIndent(v, "", "  ")
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(out, "%s\n", text)
		return err
	case "yaml":
		text, err := yaml.Marshal(v)
		if err != nil {
			return err
		}
		_, err = out.Write(text)
		return err
	case "":
		text := fmt.Sprintf("Client Version: %s\n", v.ClientVersion.Version)
		if r := v.Release; r != nil {
			text += fmt.Sprintf("Release: %s in namespace %s\nChart Version: %s\nIngestor Image: %s\n", r.Name, r.Namespace, r.ChartVersion, r.IngestorImage)
		}
		_, err := io.WriteString(out, progress.Escape(text))
		return err
	default:
		return failf(exitSpec, "output format %q is not known; use json or yaml", format)
	}
}
