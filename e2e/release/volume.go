package release

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
)

// LabelVolume marks the Pods that tests look into the shared volume with, which a count of left-over Pods leaves out.
const LabelVolume = "standin.tracebloc.io/volume"

// Volume is a Pod with the release's shared volume at /data/shared and a shell, running as the ingestor's user.
type Volume struct {
	release *Release
	pod     string
}

// OpenVolume starts the Pod and waits until it runs. Close ends it.
func (r *Release) OpenVolume(ctx context.Context) (*Volume, error) {
	no, yes, user, now := false, true, int64(65534), int64(0)
	pods := r.Client.CoreV1().Pods(r.Options.Namespace)
	pod, err := pods.Create(ctx, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "volume-", Labels: map[string]string{LabelVolume: "true"}},
		Spec: corev1.PodSpec{
			RestartPolicy: corev1.RestartPolicyNever, AutomountServiceAccountToken: &no, TerminationGracePeriodSeconds: &now, EnableServiceLinks: &no,
			SecurityContext: &corev1.PodSecurityContext{RunAsNonRoot: &yes, RunAsUser: &user, RunAsGroup: &user, SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}},
			Containers: []corev1.Container{{
				Name: shell, Image: r.Options.Images.Busybox, Command: []string{"sleep", "86400"},
				SecurityContext: &corev1.SecurityContext{AllowPrivilegeEscalation: &no, Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}}},
				VolumeMounts:    []corev1.VolumeMount{{Name: "shared", MountPath: "/data/shared"}},
			}},
			Volumes: []corev1.Volume{{Name: "shared", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "client-pvc"}}}},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		return nil, fmt.Errorf("open the volume: %w", err)
	}
	v := &Volume{release: r, pod: pod.Name}
	err = wait.PollUntilContextCancel(ctx, 200*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		p, err := pods.Get(ctx, pod.Name, metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		return p.Status.Phase == corev1.PodRunning, nil
	})
	if err != nil {
		return nil, fmt.Errorf("open the volume: %w", errors.Join(err, v.Close(context.WithoutCancel(ctx))))
	}
	return v, nil
}

// Close deletes the Pod.
func (v *Volume) Close(ctx context.Context) error {
	return v.release.Client.CoreV1().Pods(v.release.Options.Namespace).Delete(ctx, v.pod, metav1.DeleteOptions{})
}

// Run runs a command in the Pod and returns what it printed. The session's stdout stays open while stdin is read.
func (v *Volume) Run(ctx context.Context, stdin io.Reader, command ...string) (string, error) {
	return execute(ctx, v.release.Config, v.release.Client, v.release.Options.Namespace, v.pod, stdin, command)
}

// List names the regular files under dir of the volume, relative to it and sorted; none where dir does not exist.
func (v *Volume) List(ctx context.Context, dir string) ([]string, error) {
	out, err := v.Run(ctx, nil, "sh", "-c", `[ -d "$1" ] || exit 0; cd "$1" && find . -type f | sort`, "sh", dir)
	if err != nil || out == "" {
		return nil, err
	}
	names := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	for i := range names {
		names[i] = strings.TrimPrefix(names[i], "./")
	}
	return names, nil
}

// Put copies the regular files of a directory of this machine to dir of the volume, which is made anew.
func (v *Volume) Put(ctx context.Context, local fs.FS, dir string) error {
	var buf bytes.Buffer
	tw := tar.NewWriter(&buf)
	err := fs.WalkDir(local, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := fs.ReadFile(local, name)
		if err != nil {
			return err
		}
		h := &tar.Header{Name: name, Mode: 0o644, Size: int64(len(data)), Format: tar.FormatGNU, Typeflag: tar.TypeReg, ModTime: time.Unix(0, 0)}
		if err := tw.WriteHeader(h); err != nil {
			return err
		}
		_, err = tw.Write(data)
		return err
	})
	if err = errors.Join(err, tw.Close()); err != nil {
		return fmt.Errorf("pack the files: %w", err)
	}
	out, err := v.Run(ctx, &buf, "sh", "-c", `rm -rf "$1" && mkdir -p "$1" && tar -C "$1" -xf - && echo unpacked`, "sh", dir)
	if err == nil && out != "unpacked\n" {
		err = fmt.Errorf("copy to %q: the remote shell said %q", dir, out)
	}
	return err
}

// PutDir is Put for a directory by its name.
func (v *Volume) PutDir(ctx context.Context, local, dir string) error {
	if !path.IsAbs(dir) {
		return fmt.Errorf("copy to %q: not an absolute path", dir)
	}
	return v.Put(ctx, os.DirFS(local), dir)
}
