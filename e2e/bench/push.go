package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

type pushOptions struct {
	namespace string
	rounds    int
	images    int
	rows      int
}

// benchPush pushes two datasets to rows in a cluster.
func benchPush(args []string) error {
	var o pushOptions
	flags := flag.NewFlagSet("bench push", flag.ExitOnError)
	flags.StringVar(&o.namespace, "namespace", "tracebloc", "namespace of the release")
	flags.IntVar(&o.rounds, "rounds", 5, "runs of each measurement, of which the median counts")
	flags.IntVar(&o.images, "images", 2000, "images of 128x128 noise, about 64 KiB each")
	flags.IntVar(&o.rows, "rows", 100_000, "rows of the CSV, about 150 bytes each")
	if err := flags.Parse(args); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	pod, remove, err := sleeper(o.namespace)
	if err != nil {
		return err
	}
	defer remove()

	images, table := filepath.Join(dir, "images_bench"), filepath.Join(dir, "table_bench")
	if err := makeNoise(images, o.images); err != nil {
		return err
	}
	if err := makeTable(table, int64(o.rows)*mixedRow); err != nil {
		return err
	}
	fmt.Println(machine())
	fmt.Printf("%-10s %-28s %10s %10s\n", "DATASET", "MEASUREMENT", "MEDIAN", "RATIO")
	for _, d := range []struct{ name, path, task string }{
		{"images", images, "image_classification"},
		{"table", table, "tabular_classification"},
	} {
		if err := measurePush(o, pod, d.name, d.path, d.task); err != nil {
			return fmt.Errorf("%s: %w", d.name, err)
		}
	}
	return nil
}

func measurePush(o pushOptions, pod, name, path, task string) error {
	times := series{}
	for round := range o.rounds {
		if err := pushRound(o, pod, path, task, round, times); err != nil {
			return err
		}
	}
	row := func(what, yardstick string) {
		ratio := ""
		if yardstick != "" {
			ratio = fmt.Sprintf("%.2f", times.ratio(what, yardstick))
		}
		fmt.Printf("%-10s %-28s %9.2fs %10s\n", name, what, times.median(what), ratio)
	}
	row("sha256sum", "")
	row("check", "sha256sum")
	row("kubectl cp", "")
	row("stage, pod and publishing", "kubectl cp")
	row("push, ingestion included", "")
	return nil
}

// pushRound measures everything once, interleaved, so that the machine's moods meet all of them alike.
func pushRound(o pushOptions, pod, path, task string, round int, times series) error {
	if err := times.add("sha256sum", func() error { return runCommand(sha256sum(path)) }); err != nil {
		return err
	}
	target := fmt.Sprintf("%s/%s:/data/shared/bench-%d", o.namespace, pod, round)
	if err := times.add("kubectl cp", func() error { return command("kubectl", "cp", path, target) }); err != nil {
		return err
	}
	if err := command("kubectl", "exec", "-n", o.namespace, pod, "--", "rm", "-rf", fmt.Sprintf("/data/shared/bench-%d", round)); err != nil {
		return err
	}
	// A table of its own for each round: nothing is there to be taken over.
	name := fmt.Sprintf("bench_%d_%d", time.Now().Unix(), round)
	return times.add("push, ingestion included", func() error {
		durations, err := push(o.namespace, path, task, name)
		times["check"] = append(times["check"], durations["dataset"])
		times["stage, pod and publishing"] = append(times["stage, pod and publishing"], durations["stage"])
		return err
	})
}

// push pushes the dataset to rows, and returns the seconds that each step took by its own count.
func push(namespace, path, task, table string) (map[string]float64, error) {
	var out, errOut bytes.Buffer
	c := exec.Command("kubectl", "tracebloc", "push", path, "-n", namespace, "--task", task, "--table", table, "--quiet", "-o", "json")
	c.Stdout, c.Stderr = &out, &errOut
	if err := c.Run(); err != nil {
		return nil, fmt.Errorf("push: %w: %s", err, errOut.String())
	}
	var result struct {
		Status struct {
			Durations map[string]float64 `json:"durations"`
		} `json:"status"`
	}
	err := json.Unmarshal(out.Bytes(), &result)
	return result.Status.Durations, err
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
