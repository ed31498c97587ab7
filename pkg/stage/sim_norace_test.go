//go:build !race

package stage

// simRunsDefault is how many schedules fit into a quarter of a minute.
const simRunsDefault = 1000
