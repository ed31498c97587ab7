package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/rand"
)

// slowVolume is a release whose shared volume costs a time per metadata operation. The file system is served by a privileged
// Pod, so that it is mounted where the node's kubelet sees it, on whatever machine or in whatever container that node is.
type slowVolume struct {
	*place
	host   *place // whose namespace has the Pod
	server string // the Pod
	node   *corev1.Node
	dir    string // on the node
	claim  string // the PersistentVolume
}

// slowServer waits for the program, serves until it is told to end, and leaves nothing on the node.
const slowServer = `mkdir -p "$1/source" "$1/volume" && chmod 777 "$1/source"
until [ -f "$1/slowfs" ]; do sleep 0.2; done
"$1/slowfs" -delay "$2" "$1/source" "$1/volume" &
echo $! >"$1/pid"
trap 'kill -TERM $(cat "$1/pid")' TERM
wait; wait
umount -l "$1/volume" 2>/dev/null
rm -rf "$1"`

// slowVolume makes the release with the slow volume, once.
func (b *bench) slowVolume(ctx context.Context) (*slowVolume, error) {
	if b.cloud.slow != nil {
		return b.cloud.slow, nil
	}
	id := "bench-slow-" + rand.String(5)
	s := &slowVolume{host: b.cloud.main, dir: "/var/tmp/" + id, claim: id}
	b.cloud.slow = s
	var err error
	if s.server, err = s.host.start(ctx, s.serverPod(b.cloud.images.Images.Busybox, b.sizes.delay)); err != nil {
		return nil, err
	}
	if err := s.serve(ctx, b.module, filepath.Join(b.dir, "slowfs")); err != nil {
		return nil, fmt.Errorf("serve the slow volume: %w", err)
	}
	if err := s.makeVolume(ctx, id); err != nil {
		return nil, fmt.Errorf("make the slow volume: %w", err)
	}
	if s.place, err = b.cloud.install(ctx, id, b.log); err != nil {
		return nil, err
	}
	// The directory behind the file system is as fast as the node; the kernel keeps what it saw of the file system for a second.
	s.view = view{place: s.host, pod: s.server, root: s.dir + "/source", stale: 2 * time.Second}
	return s, nil
}

// serverPod has the node's /var/tmp, and gives back to the node what is mounted there.
func (s *slowVolume) serverPod(image string, delay time.Duration) *corev1.Pod {
	yes, grace, both, directory := true, int64(10), corev1.MountPropagationBidirectional, corev1.HostPathDirectory
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "bench-slowfs-"},
		Spec: corev1.PodSpec{
			RestartPolicy: corev1.RestartPolicyNever, TerminationGracePeriodSeconds: &grace,
			Containers: []corev1.Container{{
				Name: "slowfs", Image: image, Command: []string{"sh", "-c", slowServer, "sh", s.dir, delay.String()},
				SecurityContext: &corev1.SecurityContext{Privileged: &yes},
				VolumeMounts:    []corev1.VolumeMount{{Name: "node", MountPath: "/var/tmp", MountPropagation: &both}},
			}},
			Volumes: []corev1.Volume{{Name: "node", VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/var/tmp", Type: &directory}}}},
		},
	}
}

// serve builds the program for the node, brings it there and waits until the file system is mounted.
func (s *slowVolume) serve(ctx context.Context, module, program string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	pod, err := s.host.release.Client.CoreV1().Pods(s.host.namespace()).Get(ctx, s.server, metav1.GetOptions{})
	if err != nil {
		return err
	}
	if s.node, err = s.host.release.Client.CoreV1().Nodes().Get(ctx, pod.Spec.NodeName, metav1.GetOptions{}); err != nil {
		return err
	}
	build := exec.CommandContext(ctx, "go", "build", "-o", program, "./slowfs/mount")
	build.Dir = module
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+s.node.Status.NodeInfo.Architecture)
	if err := runCommand(build); err != nil {
		return err
	}
	file, err := os.Open(program)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	const bring = `cat >"$1/part" && chmod 755 "$1/part" && mv "$1/part" "$1/slowfs" && echo there`
	if out, err := s.host.shellIn(ctx, s.server, file, bring, s.dir); err != nil || out != "there" {
		return fmt.Errorf("bring the program to the node: %q: %w", out, err)
	}
	const mounted = `until grep -q " $1/volume fuse" /proc/mounts; do sleep 0.1; done`
	_, err = s.host.shellIn(ctx, s.server, nil, mounted, s.dir)
	return err
}

// makeVolume makes a PersistentVolume that is kept for the claim of a release to be installed, on the node of the Pod.
func (s *slowVolume) makeVolume(ctx context.Context, namespace string) error {
	directory := corev1.HostPathDirectory
	_, err := s.host.release.Client.CoreV1().PersistentVolumes().Create(ctx, &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: s.claim},
		Spec: corev1.PersistentVolumeSpec{
			Capacity:                      corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("50Gi")},
			AccessModes:                   []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce, corev1.ReadWriteMany},
			PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimRetain,
			StorageClassName:              s.host.release.Options.StorageClass,
			ClaimRef:                      &corev1.ObjectReference{Kind: "PersistentVolumeClaim", APIVersion: "v1", Namespace: namespace, Name: "client-pvc"},
			PersistentVolumeSource:        corev1.PersistentVolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: s.dir + "/volume", Type: &directory}},
			NodeAffinity: &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
				MatchExpressions: []corev1.NodeSelectorRequirement{{
					Key: corev1.LabelHostname, Operator: corev1.NodeSelectorOpIn, Values: []string{s.node.Labels[corev1.LabelHostname]},
				}},
			}}}},
		},
	}, metav1.CreateOptions{})
	return err
}

// operations is how many operations the volume has served so far, by name, and "total".
func (s *slowVolume) operations(ctx context.Context) (map[string]int64, error) {
	read := func() ([]string, error) {
		data, err := s.host.release.Client.CoreV1().Pods(s.host.namespace()).GetLogs(s.server, &corev1.PodLogOptions{}).DoRaw(ctx)
		var counts []string
		for line := range strings.Lines(string(data)) {
			if strings.HasPrefix(line, "total=") && strings.HasSuffix(line, "\n") {
				counts = append(counts, line)
			}
		}
		return counts, err
	}
	before, err := read()
	if err != nil {
		return nil, err
	}
	if _, err := s.host.shellIn(ctx, s.server, nil, `kill -USR1 "$(cat "$1/pid")"`, s.dir); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		counts, err := read()
		if err != nil {
			return nil, err
		}
		if len(counts) > len(before) {
			return parseCounts(counts[len(counts)-1])
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("the slow volume does not tell its count: %w", ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// parseCounts reads "total=7 create=3 lookup=4".
func parseCounts(line string) (map[string]int64, error) {
	counts := map[string]int64{}
	for _, word := range strings.Fields(line) {
		name, n, _ := strings.Cut(word, "=")
		count, err := strconv.ParseInt(n, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("read the counts of the slow volume: %w", err)
		}
		counts[name] = count
	}
	return counts, nil
}

// remove takes the release away first, so that nothing uses the volume when its file system ends.
func (s *slowVolume) remove(ctx context.Context) error {
	var err error
	if s.place != nil {
		err = s.place.release.Uninstall(ctx)
	}
	client := s.host.release.Client.CoreV1()
	if e := client.PersistentVolumes().Delete(ctx, s.claim, metav1.DeleteOptions{}); !apierrors.IsNotFound(e) {
		err = errors.Join(err, e)
	}
	if s.server == "" {
		return err
	}
	pods := client.Pods(s.host.namespace())
	if e := pods.Delete(ctx, s.server, metav1.DeleteOptions{}); !apierrors.IsNotFound(e) {
		err = errors.Join(err, e)
	}
	for { // its last act is to clear the node
		if _, e := pods.Get(ctx, s.server, metav1.GetOptions{}); e != nil {
			if !apierrors.IsNotFound(e) {
				err = errors.Join(err, e)
			}
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, fmt.Errorf("wait for pod %s to end: %w", strings.TrimSpace(s.server), ctx.Err()))
		case <-time.After(200 * time.Millisecond):
		}
	}
}
