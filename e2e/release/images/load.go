package images

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// loadedName is the ConfigMap in kube-system that says which archives the cluster's nodes hold: reference to digest. It lives and
// dies with the cluster, as the images of its nodes do.
const loadedName = "kubectl-tracebloc-e2e-images"

// Load hands the archives that the cluster does not hold yet to hack/cluster/load.sh of the repository around moduleDir,
// or to the program that E2E_IMAGE_LOADER names. E2E_IMAGE_LOADER=none leaves the images to the cluster's registry.
func Load(ctx context.Context, client kubernetes.Interface, moduleDir string, archives []Archive, log io.Writer) error {
	loader := os.Getenv("E2E_IMAGE_LOADER")
	switch loader {
	case "none":
		return nil
	case "":
		loader = filepath.Join(moduleDir, "..", "hack", "cluster", "load.sh")
	}
	maps := client.CoreV1().ConfigMaps(metav1.NamespaceSystem)
	loaded, err := maps.Get(ctx, loadedName, metav1.GetOptions{})
	fresh := apierrors.IsNotFound(err)
	if fresh {
		loaded = &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: loadedName}}
	} else if err != nil {
		return fmt.Errorf("read which images are loaded: %w", err)
	}
	if loaded.Data == nil {
		loaded.Data = map[string]string{}
	}
	var paths []string
	for _, a := range archives {
		if key := dataKey(a.Ref); loaded.Data[key] != a.Digest {
			loaded.Data[key] = a.Digest
			paths = append(paths, a.Path)
			_, _ = fmt.Fprintf(log, "loading image %s\n", a.Ref)
		}
	}
	if len(paths) == 0 {
		return nil
	}
	if out, err := exec.CommandContext(ctx, loader, paths...).CombinedOutput(); err != nil {
		return fmt.Errorf("load images with %q: %w: %s (for a cluster of your own, name a program that takes image archives in E2E_IMAGE_LOADER, or none)", loader, err, strings.TrimSpace(string(out)))
	}
	if fresh {
		_, err = maps.Create(ctx, loaded, metav1.CreateOptions{})
	} else {
		_, err = maps.Update(ctx, loaded, metav1.UpdateOptions{})
	}
	if apierrors.IsAlreadyExists(err) || apierrors.IsConflict(err) {
		return nil // another install has loaded as well: the next one finds less to skip
	}
	if err != nil {
		return fmt.Errorf("note which images are loaded: %w", err)
	}
	return nil
}

// dataKey turns a reference into a key of a ConfigMap.
func dataKey(ref string) string {
	return strings.NewReplacer("/", "_", ":", ".").Replace(ref)
}
