// Package e2e tests the built plugin, and the stand-ins that it meets, against a real Kubernetes: the cluster that KUBECONFIG
// names. It is a module of its own, so that nothing of it reaches the plugin's dependencies.
package e2e
