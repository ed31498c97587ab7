package release

import (
	"fmt"
	"path"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// defaultID is the uid and gid of the ingestor's image (contract cluster.md §1.3).
const defaultID = 65534

// apiContainer is the container that serves submits: by its name, else by the
// env that only it has. nil when there is neither.
func apiContainer(spec corev1.PodSpec) *corev1.Container {
	for i := range spec.Containers {
		if spec.Containers[i].Name == "api" {
			return &spec.Containers[i]
		}
	}
	for i := range spec.Containers {
		if env(&spec.Containers[i], "CLIENT_PVC") != "" {
			return &spec.Containers[i]
		}
	}
	return nil
}

// env is the literal value of a variable; of several the last counts, as in a
// container. One that comes from elsewhere (valueFrom) reads as empty.
func env(c *corev1.Container, name string) string {
	value := ""
	for _, v := range c.Env {
		if v.Name == name {
			value = v.Value
		}
	}
	return value
}

// enabled reads a switch. How jobs-manager reads "false" is not public, so the
// obvious noes do not count as set here: the health check will tell.
func enabled(value string) bool {
	switch strings.ToLower(strings.TrimSpace(value)) {
	case "", "0", "false", "no", "off":
		return false
	}
	return true
}

// volumeAt is the volume that the container mounts at dir, nil without one.
func volumeAt(spec corev1.PodSpec, c *corev1.Container, dir string) *corev1.Volume {
	for _, mount := range c.VolumeMounts {
		if path.Clean(mount.MountPath) != dir {
			continue
		}
		for i := range spec.Volumes {
			if spec.Volumes[i].Name == mount.Name {
				return &spec.Volumes[i]
			}
		}
	}
	return nil
}

// findImages applies jobs-manager's own rule for the ingestor image and picks
// the image of the stage Pod (contract cluster.md §1.5, 6 and 8).
func (in *inspection) findImages() {
	if in.found.api == nil {
		return
	}
	in.release.IngestorImage = ingestorImage(in.found.api)
	if in.release.IngestorImage == "" {
		in.warn(StepIngestor, "none", "the release names no ingestor image and will refuse a submit without a digest; pass --image-digest to push")
	} else {
		in.ok(StepIngestor, in.release.IngestorImage)
	}
	in.release.StageImage = in.stageImage()
	in.ok(StepStage, in.release.StageImage)
}

func ingestorImage(api *corev1.Container) string {
	repository := env(api, "INGESTOR_IMAGE_REPOSITORY")
	if repository == "" {
		repository = "ghcr.io/tracebloc/ingestor"
	}
	if digest := env(api, "INGESTOR_IMAGE_DIGEST"); digest != "" {
		return repository + "@" + digest
	}
	if tag := env(api, "INGESTOR_IMAGE_TAG"); tag != "" {
		return repository + ":" + tag
	}
	return ""
}

func (in *inspection) stageImage() string {
	for _, d := range in.found.siblings {
		for _, c := range d.Spec.Template.Spec.InitContainers {
			if d.Name == "mysql-client" && c.Name == "mysql-format-guard" && c.Image != "" {
				return c.Image
			}
		}
	}
	host := strings.TrimSuffix(env(in.found.api, "JOB_IMAGE_HOST"), "/")
	if host == "" {
		host = registryHost(in.found.api.Image)
	}
	return host + "/library/busybox:1.35"
}

// registryHost is the registry of an image reference, by the rule of the
// container runtimes: the first component when it looks like a host.
func registryHost(image string) string {
	if first, _, ok := strings.Cut(image, "/"); ok && (strings.ContainsAny(first, ".:") || first == "localhost") {
		return first
	}
	return "docker.io"
}

// ingestorIDs are the ids that the ingestor runs as, which the stage Pod must
// share so that either can delete what the other wrote.
func ingestorIDs(api *corev1.Container) (uid, gid int64, err error) {
	if uid, err = envID(api, "HOST_UID"); err != nil {
		return 0, 0, err
	}
	gid, err = envID(api, "HOST_GID")
	return uid, gid, err
}

func envID(c *corev1.Container, name string) (int64, error) {
	value := strings.TrimSpace(env(c, name))
	if value == "" {
		return defaultID, nil
	}
	id, err := strconv.ParseInt(value, 10, 32)
	if err != nil || id < 0 {
		return 0, fmt.Errorf("env %s of jobs-manager is %q; it must be a number (set it in the values of the release)", name, value)
	}
	return id, nil
}
