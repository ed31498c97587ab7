package release

import (
	"bytes"
	"context"
	"fmt"
	"io"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/remotecommand"
)

// shell is the name of the container that commands are run in.
const shell = "shell"

// execute runs a command in a Pod's shell and returns what it printed. The session's stdout stays open while stdin is read.
func execute(ctx context.Context, config *rest.Config, client kubernetes.Interface, namespace, pod string, stdin io.Reader, command []string) (string, error) {
	req := client.CoreV1().RESTClient().Post().Resource("pods").Namespace(namespace).Name(pod).SubResource("exec").
		VersionedParams(&corev1.PodExecOptions{Container: shell, Command: command, Stdin: stdin != nil, Stdout: true, Stderr: true}, scheme.ParameterCodec)
	exec, err := remotecommand.NewSPDYExecutor(config, "POST", req.URL())
	if err != nil {
		return "", err
	}
	var out, errOut bytes.Buffer
	if err := exec.StreamWithContext(ctx, remotecommand.StreamOptions{Stdin: stdin, Stdout: &out, Stderr: &errOut}); err != nil {
		return out.String(), fmt.Errorf("run %q in Pod %q: %w: %q", command, pod, err, errOut.String())
	}
	return out.String(), nil
}
