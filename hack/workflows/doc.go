// Package workflows holds what the workflows in .github run beside make, and the tests of both, and of the pipelines in docs/examples/ci:
// what a push to GitHub would find out too late, or nobody at all.
package workflows
