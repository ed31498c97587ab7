package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release"
)

// noIngestor is the digest of an image that no registry has: Jobs are made, and their Pods never run.
var noIngestor = "sha256:" + strings.Repeat("0", 64)

// place is a release with a Pod that has its volume, for kubectl cp to copy into. The Pod runs as the stage Pods do.
type place struct {
	release *release.Release
	pod     string
	view    view
}

// view is where a volume's files are counted and removed. It may be another way to the same files than the volume's own.
type view struct {
	place     *place
	pod, root string
	// stale is how long the volume may show what was removed.
	stale time.Duration
}

// cloud is everything of this run in the cluster.
type cloud struct {
	config *rest.Config
	images release.Options // with nothing but the images
	main   *place
	slow   *slowVolume
}

// open makes ready what every row needs.
func (b *bench) open(ctx context.Context) (err error) {
	if b.module, err = release.ModuleDir(ctx); err != nil {
		return err
	}
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(clientcmd.NewDefaultClientConfigLoadingRules(), nil).ClientConfig()
	if err != nil {
		return fmt.Errorf("read the kubeconfig: %w (set KUBECONFIG)", err)
	}
	config.QPS, config.Burst = 50, 100
	b.cloud = &cloud{config: config}
	if b.cloud.images.Images, err = release.Images(ctx, config, b.module, b.log); err != nil {
		return err
	}
	if b.cloud.main, err = b.cloud.install(ctx, "bench-"+rand.String(5), b.log); err != nil {
		return errors.Join(err, b.cloud.remove())
	}
	return nil
}

// install makes a release in a namespace of its own. What was made is returned with an error too.
func (c *cloud) install(ctx context.Context, namespace string, log io.Writer) (*place, error) {
	options := c.images
	options.Namespace, options.IngestorDigest, options.NoDecoys = namespace, noIngestor, true
	r, err := release.Connect(c.config, options)
	if err != nil {
		return nil, err
	}
	p := &place{release: r}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	if _, err := release.Install(ctx, c.config, options, log); err != nil {
		return p, err
	}
	p.pod, err = p.start(ctx, sleeper(r.Options.Images.Busybox))
	p.view = view{place: p, pod: p.pod, root: "/data/shared"}
	return p, err
}

// remove takes everything away, whatever became of the run.
func (c *cloud) remove() error {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	var err error
	if c.slow != nil {
		err = c.slow.remove(ctx)
	}
	if c.main != nil {
		err = errors.Join(err, c.main.release.Uninstall(ctx))
	}
	return err
}

func (p *place) namespace() string { return p.release.Options.Namespace }

// start makes a Pod in the place's namespace and waits until it runs.
func (p *place) start(ctx context.Context, pod *corev1.Pod) (name string, err error) {
	pods := p.release.Client.CoreV1().Pods(p.namespace())
	made, err := pods.Create(ctx, pod, metav1.CreateOptions{})
	if err != nil {
		return "", fmt.Errorf("make pod %s: %w", pod.GenerateName, err)
	}
	for {
		now, err := pods.Get(ctx, made.Name, metav1.GetOptions{})
		switch {
		case err != nil:
			return made.Name, fmt.Errorf("wait for pod %s: %w", made.Name, err)
		case now.Status.Phase == corev1.PodRunning:
			return made.Name, nil
		case now.Status.Phase != corev1.PodPending:
			return made.Name, fmt.Errorf("pod %s is %s: %q", made.Name, now.Status.Phase, now.Status.Message)
		}
		select {
		case <-ctx.Done():
			return made.Name, fmt.Errorf("wait for pod %s: %w", made.Name, ctx.Err())
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// sleeper has the release's volume, and the rights that a stage Pod has.
func sleeper(image string) *corev1.Pod {
	no, yes, user, now := false, true, int64(65534), int64(0)
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "bench-copy-"},
		Spec: corev1.PodSpec{
			RestartPolicy: corev1.RestartPolicyNever, AutomountServiceAccountToken: &no, TerminationGracePeriodSeconds: &now,
			SecurityContext: &corev1.PodSecurityContext{
				RunAsNonRoot: &yes, RunAsUser: &user, RunAsGroup: &user, SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			},
			Containers: []corev1.Container{{
				Name: "sleep", Image: image, Command: []string{"sleep", "86400"},
				SecurityContext: &corev1.SecurityContext{AllowPrivilegeEscalation: &no, Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}}},
				VolumeMounts:    []corev1.VolumeMount{{Name: "data", MountPath: "/data/shared"}},
			}},
			Volumes: []corev1.Volume{{Name: "data", VolumeSource: corev1.VolumeSource{
				PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "client-pvc"},
			}}},
		},
	}
}

// shell runs a script in the Pod that has the volume, and returns what it printed.
func (p *place) shell(ctx context.Context, stdin io.Reader, script string, args ...string) (string, error) {
	return p.shellIn(ctx, p.pod, stdin, script, args...)
}

func (p *place) shellIn(ctx context.Context, pod string, stdin io.Reader, script string, args ...string) (string, error) {
	line := []string{"exec", "-n", p.namespace(), pod}
	if stdin != nil {
		line = append(line, "-i")
	}
	c := exec.CommandContext(ctx, "kubectl", append(append(line, "--", "sh", "-c", script, "sh"), args...)...)
	var out strings.Builder
	c.Stdin, c.Stdout = stdin, &out
	err := runCommand(c)
	return strings.TrimSpace(out.String()), err
}

// settle lets what earlier measurements wrote reach the disk, so that it does not slow the next.
func (p *place) settle(ctx context.Context) error {
	_, err := p.shell(ctx, nil, "sync")
	return err
}

// erase removes what is there, by paths relative to the volume.
func (p *place) erase(ctx context.Context, paths ...string) error {
	_, err := p.view.place.shellIn(ctx, p.view.pod, nil, `cd "$1" && shift && rm -rf "$@"`, append([]string{p.view.root}, paths...)...)
	time.Sleep(p.view.stale)
	return err
}

// count is what there is below a path relative to the volume.
func (p *place) count(ctx context.Context, path string) (string, error) {
	const script = `cd "$1/$2" && find . -type f -exec stat -c %s {} + | awk '{n++; b += $1} END {printf "%d files, %d bytes", n, b}'`
	return p.view.place.shellIn(ctx, p.view.pod, nil, script, p.view.root, path)
}

// forget removes the staged trees of a table.
func (p *place) forget(ctx context.Context, table string) error {
	return p.erase(ctx, ".tracebloc-staging/"+table)
}

// endRun deletes the Job of a push with its Pod, and the record of the run, so that its table can be pushed to again.
func (p *place) endRun(ctx context.Context, name string) error {
	background := metav1.DeletePropagationBackground
	how, which := metav1.DeleteOptions{PropagationPolicy: &background}, metav1.ListOptions{LabelSelector: "tracebloc.io/ingestion-run=" + name}
	err := errors.Join(
		p.release.Client.BatchV1().Jobs(p.namespace()).DeleteCollection(ctx, how, which),
		p.release.Client.CoreV1().ConfigMaps(p.namespace()).DeleteCollection(ctx, how, which))
	if err != nil {
		return fmt.Errorf("delete the run of a push: %w", err)
	}
	return nil
}
