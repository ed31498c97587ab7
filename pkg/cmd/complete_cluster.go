package cmd

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/tracebloc/kubectl-tracebloc/pkg/ingest"
	"github.com/tracebloc/kubectl-tracebloc/pkg/release"
	"github.com/tracebloc/kubectl-tracebloc/pkg/run"
)

// completionTimeout bounds the time that a shell hangs at the Tab key.
const completionTimeout = 3 * time.Second

// question is what a completion asks a cluster. Its error is never shown: a
// shell has no place for it.
type question func(ctx context.Context, client kubernetes.Interface, namespace string) ([]cobra.Completion, error)

// askCluster answers a question, with nothing if that takes too long. A
// credential plugin knows no context, so that it is not waited for.
func askCluster(ctx context.Context, getter genericclioptions.RESTClientGetter, ask question) []cobra.Completion {
	ctx, cancel := context.WithTimeout(ctx, completionTimeout)
	defer cancel()
	answers := make(chan []cobra.Completion, 1)
	go func() {
		client, namespace, err := quietClient(getter)
		if err != nil {
			answers <- nil
			return
		}
		answer, err := ask(ctx, client, namespace)
		if err != nil {
			answer = nil
		}
		answers <- answer
	}()
	select {
	case <-ctx.Done():
		return nil
	case answer := <-answers:
		return answer
	}
}

// quietClient neither prompts for credentials nor prints warnings: the terminal
// belongs to the line that is being typed.
func quietClient(getter genericclioptions.RESTClientGetter) (kubernetes.Interface, string, error) {
	namespace, _, err := getter.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return nil, "", err
	}
	config, err := getter.ToRESTConfig()
	if err != nil {
		return nil, "", err
	}
	config = rest.CopyConfig(config)
	config.WarningHandler, config.WarningHandlerWithContext = rest.NoWarnings{}, nil
	if config.ExecProvider != nil {
		config.ExecProvider = config.ExecProvider.DeepCopy()
		config.ExecProvider.StdinUnavailable = true
		config.ExecProvider.StdinUnavailableMessage = "a shell completes a command line"
	}
	client, err := newClients(config)
	return client, namespace, err
}

// completeNamespace completes the namespaces of the cluster.
func completeNamespace(getter genericclioptions.RESTClientGetter) cobra.CompletionFunc {
	return func(c *cobra.Command, _ []string, toComplete string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return askCluster(c.Context(), getter, func(ctx context.Context, client kubernetes.Interface, _ string) ([]cobra.Completion, error) {
			list, err := client.CoreV1().Namespaces().List(ctx, metav1.ListOptions{})
			if err != nil {
				return nil, err
			}
			var names []cobra.Completion
			for _, n := range list.Items {
				if strings.HasPrefix(n.Name, toComplete) && isSafeWord(n.Name) {
					names = append(names, n.Name)
				}
			}
			return names, nil
		}), cobra.ShellCompDirectiveNoFileComp
	}
}

// completeRelease completes the releases of the namespace.
func completeRelease(getter genericclioptions.RESTClientGetter) cobra.CompletionFunc {
	return func(c *cobra.Command, _ []string, toComplete string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return askCluster(c.Context(), getter, func(ctx context.Context, client kubernetes.Interface, namespace string) ([]cobra.Completion, error) {
			names, err := release.Names(ctx, client, namespace)
			return slices.DeleteFunc(names, func(name string) bool { return !strings.HasPrefix(name, toComplete) || !isSafeWord(name) }), err
		}), cobra.ShellCompDirectiveNoFileComp
	}
}

// completeTable completes the tables that the namespace has runs of, the newest
// first, and says of each how its newest run is.
func completeTable(getter genericclioptions.RESTClientGetter) cobra.CompletionFunc {
	return func(c *cobra.Command, _ []string, toComplete string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return askCluster(c.Context(), getter, func(ctx context.Context, client kubernetes.Interface, namespace string) ([]cobra.Completion, error) {
			runs, err := run.List(ctx, client, namespace, "")
			if err != nil {
				return nil, err
			}
			seen := map[string]bool{}
			var tables []cobra.Completion
			for _, r := range slices.Backward(runs) {
				table := r.Spec.Table
				if seen[table] || !strings.HasPrefix(table, toComplete) || ingest.CheckTable(table) != nil {
					continue
				}
				seen[table] = true
				tables = append(tables, described(table, fmt.Sprintf("run %s, %s, %s old", r.Name, r.Status.Phase, age(r.CreationTimestamp, time.Now()))))
			}
			return tables, nil
		}), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
	}
}

// completeRun completes RUN with the runs of the namespace that fit the command,
// newest first, and says of each what it is.
func completeRun(getter genericclioptions.RESTClientGetter, fits func(*run.IngestionRun) bool) cobra.CompletionFunc {
	return func(c *cobra.Command, args []string, toComplete string) ([]cobra.Completion, cobra.ShellCompDirective) {
		const directive = cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
		if len(args) > 0 {
			return nil, directive
		}
		return askCluster(c.Context(), getter, func(ctx context.Context, client kubernetes.Interface, namespace string) ([]cobra.Completion, error) {
			runs, err := run.List(ctx, client, namespace, "")
			return runCompletions(runs, toComplete, fits), err
		}), directive
	}
}

// runCompletions are the names that fit what was typed. Job names are offered to
// those who have begun to type one.
func runCompletions(runs []*run.IngestionRun, typed string, fits func(*run.IngestionRun) bool) []cobra.Completion {
	var completions []cobra.Completion
	for _, r := range slices.Backward(runs) {
		if !fits(r) {
			continue
		}
		names := []string{r.Name}
		if job := r.Status.Job; job != "" && typed != "" {
			names = append(names, job, "job/"+job)
		}
		for _, name := range names {
			if strings.HasPrefix(name, typed) && isSafeWord(name) {
				completions = append(completions, described(name, describeRun(r)))
				break
			}
		}
	}
	return completions
}

// describeRun is what a shell shows beside a name: "pets, Succeeded, 5m old".
func describeRun(r *run.IngestionRun) string {
	return fmt.Sprintf("%s, %s, %s old", cell(r.Spec.Table), r.Status.Phase, age(r.CreationTimestamp, time.Now()))
}

func anyRun(*run.IngestionRun) bool { return true }
