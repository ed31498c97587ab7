//go:build race

package stage

// simRunsDefault is how many schedules fit into half a minute.
const simRunsDefault = 300
