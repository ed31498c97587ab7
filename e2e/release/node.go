package release

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release/manifests"
)

const (
	// nodeDir is the directory of the node that has the disks; every Linux has it.
	nodeDir = "/var/tmp"
	// mounted is where the Pod of a Node sees nodeDir.
	mounted = "/node"
)

// Node is root on a node of the cluster, by way of a privileged Pod: for faults of the machine that no API makes, such as a full
// disk or a killed process. The cluster must allow privileged Pods.
type Node struct {
	// Name is that of the node.
	Name string

	namespace, pod string
	config         *rest.Config
	client         kubernetes.Interface
	volumes        []string
}

// OpenNode starts the Pod, in a namespace of its own, and waits until it runs. image has a shell. Close ends it.
func OpenNode(ctx context.Context, config *rest.Config, image string) (*Node, error) {
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	ns, err := client.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		GenerateName: "e2e-node-", Labels: map[string]string{manifests.LabelInstalled: "true", "pod-security.kubernetes.io/enforce": "privileged"},
	}}, metav1.CreateOptions{})
	if err != nil {
		return nil, fmt.Errorf("open a node: %w", err)
	}
	n := &Node{namespace: ns.Name, pod: "node", config: config, client: client}
	if err := n.start(ctx, image); err != nil {
		return nil, fmt.Errorf("open a node: %w", errors.Join(err, n.Close(context.WithoutCancel(ctx))))
	}
	return n, nil
}

func (n *Node) start(ctx context.Context, image string) error {
	no, yes, root, now, both := false, true, int64(0), int64(0), corev1.MountPropagationBidirectional
	pods := n.client.CoreV1().Pods(n.namespace)
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: n.pod},
		Spec: corev1.PodSpec{
			HostPID: true, RestartPolicy: corev1.RestartPolicyNever, AutomountServiceAccountToken: &no, TerminationGracePeriodSeconds: &now, EnableServiceLinks: &no,
			Containers: []corev1.Container{{
				Name: shell, Image: image, Command: []string{"sleep", "86400"},
				SecurityContext: &corev1.SecurityContext{Privileged: &yes, RunAsUser: &root},
				VolumeMounts:    []corev1.VolumeMount{{Name: "disks", MountPath: mounted, MountPropagation: &both}},
			}},
			Volumes: []corev1.Volume{{Name: "disks", VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: nodeDir}}}},
		},
	}
	// The namespace's service account comes a moment after the namespace.
	err := wait.PollUntilContextCancel(ctx, 100*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		_, err := pods.Create(ctx, pod, metav1.CreateOptions{})
		if apierrors.IsForbidden(err) {
			return false, nil
		}
		return true, err
	})
	if err != nil {
		return err
	}
	return wait.PollUntilContextCancel(ctx, 200*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		p, err := pods.Get(ctx, n.pod, metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		n.Name = p.Spec.NodeName
		return p.Status.Phase == corev1.PodRunning, nil
	})
}

// Run runs a command on the node, as root and with sight of all its processes, and returns what it printed.
func (n *Node) Run(ctx context.Context, stdin io.Reader, command ...string) (string, error) {
	return execute(ctx, n.config, n.client, n.namespace, n.pod, stdin, command)
}

// Label gives the node labels, or takes them away: a release whose NodeSelector has them feels a node that takes no Pods, and no
// other release does.
func (n *Node) Label(ctx context.Context, labels map[string]string, on bool) error {
	changed := map[string]*string{}
	for key, value := range labels {
		changed[key] = nil
		if on {
			changed[key] = &value
		}
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"labels": changed}})
	if err == nil {
		_, err = n.client.CoreV1().Nodes().Patch(ctx, n.Name, types.MergePatchType, patch, metav1.PatchOptions{})
	}
	if err != nil {
		return fmt.Errorf("label node %q: %w", n.Name, err)
	}
	return nil
}

// Disk makes a directory of the node, writable for everybody, and a PersistentVolume of it that the claim client-pvc of the namespace
// is bound to; to be called before the release is installed there. What is mounted at dir, the directory as Run sees it, is what
// later Pods get.
func (n *Node) Disk(ctx context.Context, options Options) (dir string, err error) {
	options = options.Default()
	name := "e2e-" + options.Namespace
	dir = path.Join(mounted, name)
	if _, err := n.Run(ctx, nil, "sh", "-c", `mkdir "$1" && chmod 0777 "$1"`, "sh", dir); err != nil {
		return "", fmt.Errorf("make a disk: %w", err)
	}
	n.volumes = append(n.volumes, name)
	node, err := n.client.CoreV1().Nodes().Get(ctx, n.Name, metav1.GetOptions{})
	if err != nil {
		return "", fmt.Errorf("make a disk: %w", err)
	}
	here := corev1.NodeSelectorRequirement{Key: corev1.LabelHostname, Operator: corev1.NodeSelectorOpIn, Values: []string{node.Labels[corev1.LabelHostname]}}
	_, err = n.client.CoreV1().PersistentVolumes().Create(ctx, &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: corev1.PersistentVolumeSpec{
			Capacity:                      corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("50Gi")},
			AccessModes:                   []corev1.PersistentVolumeAccessMode{options.AccessMode},
			StorageClassName:              options.StorageClass,
			PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimRetain,
			ClaimRef:                      &corev1.ObjectReference{Kind: "PersistentVolumeClaim", Namespace: options.Namespace, Name: "client-pvc"},
			PersistentVolumeSource:        corev1.PersistentVolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: path.Join(nodeDir, name)}},
			NodeAffinity: &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{
				NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{here}}},
			}},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		return "", fmt.Errorf("make a disk: %w", err)
	}
	return dir, nil
}

// Close removes the disks with all that is in them and mounted there, and ends the Pod. The releases on them must be gone.
func (n *Node) Close(ctx context.Context) error {
	var failed []error
	for _, name := range n.volumes {
		err := n.client.CoreV1().PersistentVolumes().Delete(ctx, name, metav1.DeleteOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			failed = append(failed, err)
		}
		_, err = n.Run(ctx, nil, "sh", "-c", `while umount "$1" 2>/dev/null; do :; done; rm -rf "$1"`, "sh", path.Join(mounted, name))
		failed = append(failed, err)
	}
	failed = append(failed, n.client.CoreV1().Namespaces().Delete(ctx, n.namespace, metav1.DeleteOptions{}))
	if err := errors.Join(failed...); err != nil {
		return fmt.Errorf("close the node: %w", err)
	}
	return nil
}
