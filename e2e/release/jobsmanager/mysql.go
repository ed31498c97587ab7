package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
)

const mysqlPort = "3306"

// mysqlAddress is the IP of the Ready database Pod. Jobs get it as a host alias, so that they also run where the cluster has
// neither DNS nor Service addresses.
func mysqlAddress(ctx context.Context, client kubernetes.Interface, s settings) (string, error) {
	pods, err := client.CoreV1().Pods(s.Namespace).List(ctx, metav1.ListOptions{LabelSelector: "app=" + s.MySQLHost})
	if err != nil {
		return "", fmt.Errorf("find the database: %w", err)
	}
	for _, p := range pods.Items {
		if p.DeletionTimestamp != nil || p.Status.PodIP == "" {
			continue
		}
		for _, c := range p.Status.Conditions {
			if c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue {
				return p.Status.PodIP, nil
			}
		}
	}
	return "", fmt.Errorf("find the database: no Ready Pod with the label app=%s", s.MySQLHost)
}

// waitForMySQL returns when the database answers, as the real server opens its port only after the migrations ran.
func waitForMySQL(ctx context.Context, client kubernetes.Interface, s settings) error {
	var last string
	err := wait.PollUntilContextCancel(ctx, time.Second, true, func(ctx context.Context) (bool, error) {
		address, err := mysqlAddress(ctx, client, s)
		if err == nil {
			err = greets(ctx, net.JoinHostPort(address, mysqlPort))
		}
		if err != nil && err.Error() != last {
			last = err.Error()
			logf("waiting: %v", err)
		}
		return err == nil, nil
	})
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// greets says whether a server talks first at address, as MySQL does.
func greets(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetReadDeadline(time.Now().Add(3 * time.Second)); err != nil {
		return err
	}
	_, err = conn.Read(make([]byte, 1))
	return err
}
