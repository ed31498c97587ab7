package dataset

import (
	"fmt"
	"slices"
	"strings"
)

// NotPushableError is returned for a task that the schema may name but that no ingestor can serve.
type NotPushableError struct {
	Task   string
	Reason string
}

func (e *NotPushableError) Error() string {
	return fmt.Sprintf("task %q cannot be pushed: %s", e.Task, e.Reason)
}

// UnknownTaskError is returned for a name that is no task. Near holds the tasks whose names are close to it.
type UnknownTaskError struct {
	Name string
	Near []string
}

func (e *UnknownTaskError) Error() string {
	if len(e.Near) > 0 {
		return fmt.Sprintf("unknown task %q: did you mean %s", e.Name, quoteOr(e.Near))
	}
	names := make([]string, len(Tasks))
	for i, t := range Tasks {
		names[i] = t.Name
	}
	return fmt.Sprintf("unknown task %q: must be one of %s", e.Name, strings.Join(names, ", "))
}

// TaskByName returns the task of that exact name.
func TaskByName(name string) (Task, bool) {
	i := slices.IndexFunc(Tasks, func(t Task) bool { return t.Name == name })
	if i < 0 {
		return Task{}, false
	}
	return Tasks[i], true
}

// LookupTask returns the task of that exact name, or a *NotPushableError or *UnknownTaskError that says what to do.
func LookupTask(name string) (Task, error) {
	if t, ok := TaskByName(name); ok {
		return t, nil
	}
	if reason := deadTasks()[name]; reason != "" {
		return Task{}, &NotPushableError{Task: name, Reason: reason}
	}
	return Task{}, &UnknownTaskError{Name: name, Near: nearTasks(name)}
}

// deadTasks are the categories of older schemas that no ingestor serves, and why.
func deadTasks() map[string]string {
	return map[string]string{
		"instance_segmentation": "the ingestor inserts its rows but never copies its files; use semantic_segmentation with one mask per image",
	}
}

// nearTasks returns the tasks that differ from name by a few letters, by their separators, or by being cut short.
func nearTasks(name string) []string {
	want := foldName(name)
	if want == "" {
		return nil
	}
	var near []string
	for _, t := range Tasks {
		have := foldName(t.Name)
		if EditDistance(want, have) <= 1+len(have)/6 || (len(want) >= 4 && strings.Contains(have, want)) {
			near = append(near, t.Name)
		}
	}
	return near
}

// foldName drops what people vary in a name: case, separators and blanks.
func foldName(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r == ' ' || r == '.' {
			return -1
		}
		return r
	}, strings.ToLower(s))
}

// EditDistance counts the insertions, deletions, replacements and swaps of neighbors that turn a into b. It finds the near
// match of a mistyped name; strings over 256 bytes are never near and give the length of the longer one in bytes.
func EditDistance(a, b string) int {
	if len(a) > 256 || len(b) > 256 {
		return max(len(a), len(b))
	}
	x, y := []rune(a), []rune(b)
	before := make([]int, len(y)+1)
	last := make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row := make([]int, len(y)+1)
		row[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(y)]
}

func quoteOr(names []string) string { return quoteList(names, "or") }

func quoteAnd(names []string) string { return quoteList(names, "and") }

func quoteList(names []string, conjunction string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = fmt.Sprintf("%q", n)
	}
	if len(quoted) < 2 {
		return strings.Join(quoted, "")
	}
	return strings.Join(quoted[:len(quoted)-1], ", ") + " " + conjunction + " " + quoted[len(quoted)-1]
}
