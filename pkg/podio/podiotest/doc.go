// Package podiotest serves exec and port-forward sessions to tests, in the process of the test and without a cluster.
//
// A session takes the real way: client-go, TLS, the API server's own proxy and stream translator, the streaming server of the container
// runtimes, and at the end a local process instead of one in a container. The pieces between are the libraries that Kubernetes is made
// of, so what a broken connection does here is what it does there. Of the container runtime it reproduces containerd's handling of
// stdin: a broken connection is a clean end of it for the process, which runs on, and it is closed as soon as the process closes
// its stdout or stderr.
//
// The commands are the applets of busybox (Debian package busybox-static), found in the commands' PATH as sh, tar, dd and so on.
//
// It is for tests only: nothing of the plugin imports it.
package podiotest
