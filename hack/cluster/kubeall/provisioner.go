package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

const (
	// localPath is the provisioner of kind's class "standard".
	localPath = "rancher.io/local-path"

	provisionedBy = "pv.kubernetes.io/provisioned-by"
	selectedNode  = "volume.kubernetes.io/selected-node"
)

// fromCache lets the API server answer from its watch cache, which makes asking five times a second cheap.
var fromCache = metav1.ListOptions{ResourceVersion: "0"}

// provision gives every claim of a localPath class a directory below dir on the node that the scheduler selected for it,
// and removes the directory with the claim, as local-path-provisioner does in kind. It ends with ctx; trouble with one
// round is printed and the next round tries again.
func provision(ctx context.Context, kubeconfig, dir string) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return fmt.Errorf("reading kubeconfig %q: %w", kubeconfig, err)
	}
	config.QPS, config.Burst = 100, 200
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	dir, err = filepath.Abs(dir)
	if err != nil {
		return err
	}
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		if err := bindClaims(ctx, client, dir); err != nil && ctx.Err() == nil {
			fmt.Fprintf(os.Stderr, "binding claims: %v\n", err)
		}
		if err := removeReleased(ctx, client, dir); err != nil && ctx.Err() == nil {
			fmt.Fprintf(os.Stderr, "removing released volumes: %v\n", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// reclaimPolicies maps the name of each localPath class to its reclaim policy.
func reclaimPolicies(ctx context.Context, client kubernetes.Interface) (map[string]corev1.PersistentVolumeReclaimPolicy, error) {
	classes, err := client.StorageV1().StorageClasses().List(ctx, fromCache)
	if err != nil {
		return nil, err
	}
	policies := map[string]corev1.PersistentVolumeReclaimPolicy{}
	for _, class := range classes.Items {
		if class.Provisioner != localPath {
			continue
		}
		policies[class.Name] = corev1.PersistentVolumeReclaimDelete
		if class.ReclaimPolicy != nil {
			policies[class.Name] = *class.ReclaimPolicy
		}
	}
	return policies, nil
}

func bindClaims(ctx context.Context, client kubernetes.Interface, dir string) error {
	policies, err := reclaimPolicies(ctx, client)
	if err != nil {
		return err
	}
	claims, err := client.CoreV1().PersistentVolumeClaims("").List(ctx, fromCache)
	if err != nil {
		return err
	}
	for i := range claims.Items {
		claim := &claims.Items[i]
		if claim.Spec.VolumeName != "" || claim.DeletionTimestamp != nil || claim.Spec.StorageClassName == nil ||
			claim.Annotations[selectedNode] == "" {
			continue
		}
		policy, ok := policies[*claim.Spec.StorageClassName]
		if !ok {
			continue
		}
		volume := newVolume(claim, policy, dir)
		if err := makeShared(volume.Spec.HostPath.Path); err != nil {
			return err
		}
		_, err := client.CoreV1().PersistentVolumes().Create(ctx, volume, metav1.CreateOptions{})
		if err != nil && !apierrors.IsAlreadyExists(err) {
			return err
		}
	}
	return nil
}

// makeShared creates the directory for any uid; Mkdir alone is subject to the umask.
func makeShared(path string) error {
	if err := os.MkdirAll(path, 0o777); err != nil {
		return err
	}
	return os.Chmod(path, 0o777)
}

func newVolume(claim *corev1.PersistentVolumeClaim, policy corev1.PersistentVolumeReclaimPolicy, dir string) *corev1.PersistentVolume {
	name := "pvc-" + string(claim.UID)
	kind := corev1.HostPathDirectoryOrCreate
	onNode := corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{{
		Key: corev1.LabelHostname, Operator: corev1.NodeSelectorOpIn, Values: []string{claim.Annotations[selectedNode]},
	}}}
	return &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: map[string]string{provisionedBy: localPath}},
		Spec: corev1.PersistentVolumeSpec{
			Capacity:                      corev1.ResourceList{corev1.ResourceStorage: claim.Spec.Resources.Requests[corev1.ResourceStorage]},
			AccessModes:                   claim.Spec.AccessModes,
			PersistentVolumeReclaimPolicy: policy,
			StorageClassName:              *claim.Spec.StorageClassName,
			VolumeMode:                    claim.Spec.VolumeMode,
			ClaimRef: &corev1.ObjectReference{
				Kind: "PersistentVolumeClaim", APIVersion: "v1", Namespace: claim.Namespace, Name: claim.Name,
				UID: claim.UID, ResourceVersion: claim.ResourceVersion,
			},
			PersistentVolumeSource: corev1.PersistentVolumeSource{HostPath: &corev1.HostPathVolumeSource{
				Path: filepath.Join(dir, name+"_"+claim.Namespace+"_"+claim.Name), Type: &kind,
			}},
			NodeAffinity: &corev1.VolumeNodeAffinity{
				Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{onNode}},
			},
		},
	}
}

func removeReleased(ctx context.Context, client kubernetes.Interface, dir string) error {
	volumes, err := client.CoreV1().PersistentVolumes().List(ctx, fromCache)
	if err != nil {
		return err
	}
	for i := range volumes.Items {
		volume := &volumes.Items[i]
		if volume.Annotations[provisionedBy] != localPath || volume.Status.Phase != corev1.VolumeReleased ||
			volume.Spec.PersistentVolumeReclaimPolicy != corev1.PersistentVolumeReclaimDelete || volume.Spec.HostPath == nil {
			continue
		}
		// Anyone may write a volume with our annotation; only directories made here are removed.
		if filepath.Dir(volume.Spec.HostPath.Path) != dir {
			continue
		}
		if err := os.RemoveAll(volume.Spec.HostPath.Path); err != nil {
			return err
		}
		err := client.CoreV1().PersistentVolumes().Delete(ctx, volume.Name, metav1.DeleteOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			return err
		}
	}
	return nil
}
