// Command kubeall holds every part of a small Kubernetes in one binary: etcd, the control plane, the kubelet, and a
// provisioner for local volumes. The first argument names the part; the rest are that part's own.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	_ "time/tzdata" // CronJobs may name a time zone

	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"          // --logging-format=json
	_ "k8s.io/component-base/metrics/prometheus/clientgo" // metrics of the clients inside
	_ "k8s.io/component-base/metrics/prometheus/version"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	kcm "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

const usage = "usage: kubeall etcd|kube-apiserver|kube-controller-manager|kube-scheduler|kubelet|provisioner ARGUMENT..."

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(2)
	}
	// The parts read os.Args themselves.
	os.Args = os.Args[1:]
	os.Exit(start(os.Args[0]))
}

func start(part string) int {
	switch part {
	case "etcd":
		etcdmain.Main(os.Args)
		return 0
	case "kube-apiserver":
		return cli.Run(apiserver.NewAPIServerCommand())
	case "kube-controller-manager":
		return cli.Run(kcm.NewControllerManagerCommand())
	case "kube-scheduler":
		return cli.Run(scheduler.NewSchedulerCommand())
	case "kubelet":
		return cli.Run(kubelet.NewKubeletCommand(context.Background()))
	case "provisioner":
		return provisioner()
	default:
		fmt.Fprintf(os.Stderr, "kubeall: unknown part %q\n%s\n", part, usage)
		return 2
	}
}

func provisioner() int {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: kubeall provisioner KUBECONFIG DIRECTORY")
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := provision(ctx, os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintf(os.Stderr, "kubeall: provisioner: %v\n", err)
		return 1
	}
	return 0
}
