package main

import (
	"bufio"
	"fmt"
	"image"
	"image/png"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// makeImages writes an image_classification dataset of noise, which nothing can compress.
func makeImages(dir string, n int) error {
	if err := os.MkdirAll(filepath.Join(dir, "images"), 0o755); err != nil {
		return err
	}
	noise := rand.NewChaCha8([32]byte{1})
	var labels strings.Builder
	labels.WriteString("filename,label\n")
	for i := range n {
		picture := image.NewNRGBA(image.Rect(0, 0, 128, 128))
		if _, err := noise.Read(picture.Pix); err != nil {
			return err
		}
		name := fmt.Sprintf("%06d.png", i)
		file, err := os.Create(filepath.Join(dir, "images", name))
		if err != nil {
			return err
		}
		if err := (&png.Encoder{CompressionLevel: png.NoCompression}).Encode(file, picture); err != nil {
			return err
		}
		if err := file.Close(); err != nil {
			return err
		}
		fmt.Fprintf(&labels, "%s,class_%d\n", name, i%10)
	}
	return os.WriteFile(filepath.Join(dir, "labels.csv"), []byte(labels.String()), 0o644)
}

// makeTable writes a directory with one CSV of mixed types.
func makeTable(dir string, rows int) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	file, err := os.Create(filepath.Join(dir, "data.csv"))
	if err != nil {
		return err
	}
	out := bufio.NewWriter(file)
	_, _ = fmt.Fprintln(out, "age,income,score,city,since,label")
	random := rand.New(rand.NewPCG(1, 2))
	for range rows {
		_, _ = fmt.Fprintf(out, "%d,%.2f,%.6f,city-%03d with a longer name,20%02d-%02d-%02d,%s\n", 18+random.IntN(70), random.Float64()*1e5,
			random.Float64(), random.IntN(400), random.IntN(24), 1+random.IntN(12), 1+random.IntN(28), []string{"stays", "leaves"}[random.IntN(2)])
	}
	if err := out.Flush(); err != nil {
		return err
	}
	return file.Close()
}

// sleeper starts a Pod that has the release's volume, for kubectl cp to copy into.
func sleeper(namespace string) (pod string, remove func(), err error) {
	pod = fmt.Sprintf("bench-%d", os.Getpid())
	manifest := fmt.Sprintf(sleeperManifest, pod, namespace)
	apply := exec.Command("kubectl", "apply", "-f", "-")
	apply.Stdin = strings.NewReader(manifest)
	if out, err := apply.CombinedOutput(); err != nil {
		return "", nil, fmt.Errorf("make the pod for kubectl cp: %w: %s", err, out)
	}
	remove = func() { _ = command("kubectl", "delete", "pod", pod, "-n", namespace, "--grace-period=0", "--force") }
	if err := command("kubectl", "wait", "--for=condition=Ready", "pod/"+pod, "-n", namespace, "--timeout=120s"); err != nil {
		remove()
		return "", nil, err
	}
	return pod, remove, nil
}

const sleeperManifest = `apiVersion: v1
kind: Pod
metadata: {name: %s, namespace: %s}
spec:
  automountServiceAccountToken: false
  securityContext: {runAsNonRoot: true, runAsUser: 65534, runAsGroup: 65534, seccompProfile: {type: RuntimeDefault}}
  containers:
  - name: sleep
    image: docker.io/library/busybox:1.35
    imagePullPolicy: IfNotPresent
    command: [sleep, "86400"]
    securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
    volumeMounts: [{name: data, mountPath: /data/shared}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: client-pvc}}]
`
