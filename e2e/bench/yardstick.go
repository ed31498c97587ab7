package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tracebloc/kubectl-tracebloc/e2e/link"
)

// yardstick measures one or more rows.
type yardstick struct {
	rows    []string
	measure func(*bench, context.Context) ([]row, error)
}

// yardsticks are in the order in which they are measured.
func yardsticks() []yardstick {
	return []yardstick{
		{[]string{"big"}, (*bench).big},
		{[]string{"files", "again", "changed"}, (*bench).files},
		{[]string{"cut"}, (*bench).cut},
		{[]string{"csv"}, (*bench).csvOverLink},
		{[]string{"small"}, (*bench).smallOverLink},
		{[]string{"slow"}, (*bench).slowMetadata},
	}
}

func (y yardstick) wanted(names []string) bool {
	return slices.ContainsFunc(y.rows, func(name string) bool { return slices.Contains(names, name) })
}

func rowNames() []string {
	var names []string
	for _, y := range yardsticks() {
		names = append(names, y.rows...)
	}
	return names
}

// big is one file that nothing can compress, over both transports.
func (b *bench) big(ctx context.Context) ([]row, error) {
	d, err := b.bigFile()
	if err != nil {
		return nil, err
	}
	work := fmt.Sprintf("one file of %s", size(b.sizes.big))
	var rows []row
	for _, transport := range []string{webSocket, spdy} {
		r, err := b.beside(ctx, b.cloud.main, way{transport: transport}, d)
		if err != nil {
			return rows, err
		}
		perGiB := float64(b.sizes.big) / (1 << 30)
		rows = append(rows,
			r.row("big", work, aim{unit: timesCopy, limit: 1}, r.ratio("staging", "copy")),
			r.row("big", work+", CPU of the client", aim{unit: cpuSecPerG, none: true}, r.median("cpu")/perGiB,
				fmt.Sprintf("the whole command; kubectl cp %.2f", r.median("copy cpu")/perGiB)))
	}
	return rows, nil
}

// beside is all rounds of one dataset by both tools.
func (b *bench) beside(ctx context.Context, p *place, w way, d dataset) (rounds, error) {
	r := rounds{series: series{}, transport: w.transport}
	for round := range b.o.rounds {
		table := b.table()
		push, cp, err := b.pair(ctx, p, w, d, round, table)
		if err != nil {
			return r, err
		}
		r.add(push, cp)
		if err := p.forget(ctx, table); err != nil {
			return r, err
		}
	}
	return r, nil
}

// files are many files over both transports, and on the first of them the same again and with one in a hundred changed.
func (b *bench) files(ctx context.Context) ([]row, error) {
	d, err := b.manyFiles(b.sizes.files, b.sizes.fileSize)
	if err != nil {
		return nil, err
	}
	work := fmt.Sprintf("%d files of %s", b.sizes.files, size(b.sizes.fileSize))
	first := rounds{series: series{}, transport: webSocket}
	again, changed := rounds{series: series{}, transport: webSocket}, rounds{series: series{}, transport: webSocket}
	var sent, linked int64
	for round := range b.o.rounds {
		table, w := b.table(), way{transport: webSocket}
		push, cp, err := b.pair(ctx, b.cloud.main, w, d, round, table)
		if err != nil {
			return nil, err
		}
		first.add(push, cp)
		if push, err = b.push(ctx, b.cloud.main, w, d, table); err != nil {
			return nil, err
		}
		if push.Status.Staging.Files > 0 || push.Status.Staging.Bytes > 0 {
			return nil, fmt.Errorf("an unchanged dataset is sent again: %+v", push.Status.Staging)
		}
		again.add(push, copied{})
		n, err := changeSome(d, b.sizes.files, b.sizes.fileSize, round)
		if err != nil {
			return nil, err
		}
		if push, err = b.push(ctx, b.cloud.main, w, d, table); err != nil {
			return nil, err
		}
		if int(push.Status.Staging.Files) != n {
			return nil, fmt.Errorf("%d files were changed, and this was sent: %+v", n, push.Status.Staging)
		}
		changed.add(push, copied{})
		sent, linked = push.Status.Staging.SentBytes, push.Status.Staging.TakenOverFiles
		if err := b.cloud.main.forget(ctx, table); err != nil {
			return nil, err
		}
	}
	rows := []row{
		first.row("files", work, aim{unit: timesCopy, limit: 1}, first.ratio("staging", "copy")),
		again.row("again", "the same again, nothing changed", aim{unit: ofFirst, limit: 0.03}, part(again, first)),
		changed.row("changed", "the same again, 1 % of the files changed", aim{unit: ofFirst, limit: 0.05}, part(changed, first),
			fmt.Sprintf("%s sent, %d files taken over by link", size(sent), linked)),
	}
	other, err := b.beside(ctx, b.cloud.main, way{transport: spdy}, d)
	return append(rows, other.row("files", work, aim{unit: timesCopy, limit: 1}, other.ratio("staging", "copy"))), err
}

// part is how much of the first pushes the later ones took, round by round.
func part(later, first rounds) float64 {
	return series{"later": later.series["staging"], "first": first.series["staging"]}.ratio("later", "first")
}

// cut breaks all connections three times in each push, in turns by a reset and in order.
func (b *bench) cut(ctx context.Context) (rows []row, err error) {
	d, err := b.manyFiles(b.sizes.files, b.sizes.fileSize)
	if err != nil {
		return nil, err
	}
	_, data, err := treeSize(d.dir)
	if err != nil {
		return nil, err
	}
	r := rounds{series: series{}, transport: webSocket}
	retries := 0
	for round := range b.o.rounds {
		table := b.table()
		kubeconfig := filepath.Join(b.dir, "cut-kubeconfig")
		l, err := link.ToCluster("", kubeconfig, link.Shape{})
		if err != nil {
			return nil, err
		}
		positions := l.CutRandomly(b.o.seed+uint64(round), 3, data, []link.How{link.RST, link.FIN}[round%2])
		push, err := b.push(ctx, b.cloud.main, way{transport: webSocket, kubeconfig: kubeconfig}, d, table)
		if e := l.Close(); err != nil || e != nil {
			return nil, fmt.Errorf("cut at %d: %w", positions, firstError(err, e))
		}
		r.add(push, copied{})
		r.series["sent"] = append(r.series["sent"], float64(push.Status.Staging.SentBytes)/float64(data))
		r.series["link"] = append(r.series["link"], float64(l.Sent())/float64(data))
		retries += push.Status.Staging.Retries
		if err := b.cloud.main.forget(ctx, table); err != nil {
			return nil, err
		}
	}
	work := fmt.Sprintf("%d files of %s, cut three times at random bytes", b.sizes.files, size(b.sizes.fileSize))
	return []row{r.row("cut", work, aim{unit: timesData, limit: 1.1}, r.median("link"),
		fmt.Sprintf("on the wire, as the link counted it; at most %.3f, by the plugin's own count %.3f; %d retries in %d pushes",
			slices.Max(r.series["link"]), r.median("sent"), retries, b.o.rounds))}, nil
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) csvOverLink(ctx context.Context) ([]row, error) {
	d, err := b.csv()
	if err != nil {
		return nil, err
	}
	r, sent, err := b.overLink(ctx, d)
	if err != nil {
		return nil, err
	}
	work := fmt.Sprintf("a CSV of %s over %s", size(b.sizes.table), b.linkName())
	return []row{r.row("csv", work, aim{unit: faster, limit: 2.5, atLeast: true}, r.ratio("copy", "staging"), sent)}, nil
}

func (b *bench) smallOverLink(ctx context.Context) ([]row, error) {
	d, err := b.manyFiles(b.sizes.small, b.sizes.smallSize)
	if err != nil {
		return nil, err
	}
	r, sent, err := b.overLink(ctx, d)
	if err != nil {
		return nil, err
	}
	work := fmt.Sprintf("%d files of %s over %s", b.sizes.small, size(b.sizes.smallSize), b.linkName())
	return []row{r.row("small", work, aim{unit: timesCopy, limit: 1.2}, r.ratio("staging", "copy"), sent)}, nil
}

// overLink is all rounds of one dataset over a link with a rate and a delay, for both tools.
func (b *bench) overLink(ctx context.Context, d dataset) (r rounds, sent string, err error) {
	kubeconfig := filepath.Join(b.dir, "link-kubeconfig")
	l, err := link.ToCluster("", kubeconfig, link.Shape{Rate: link.Bits(b.sizes.megabits), RTT: b.sizes.trip})
	if err != nil {
		return r, "", err
	}
	r, err = b.beside(ctx, b.cloud.main, way{transport: webSocket, kubeconfig: kubeconfig}, d)
	if e := l.Close(); err == nil {
		err = e
	}
	return r, fmt.Sprintf("both tools together put %s on the link in %d rounds", size(l.Sent()), b.o.rounds), err
}

func (b *bench) linkName() string {
	return fmt.Sprintf("%d Mbit/s and %d ms of round trip", b.sizes.megabits, b.sizes.trip.Milliseconds())
}

// slowMetadata is many files onto a volume on which each operation on metadata takes a time.
func (b *bench) slowMetadata(ctx context.Context) ([]row, error) {
	d, err := b.manyFiles(b.sizes.slow, b.sizes.fileSize)
	if err != nil {
		return nil, err
	}
	volume, err := b.slowVolume(ctx)
	if err != nil {
		return nil, err
	}
	r, err := b.beside(ctx, volume.place, way{transport: webSocket}, d)
	if err != nil {
		return nil, err
	}
	operations, err := b.operationsPerFile(ctx, volume, d)
	if err != nil {
		return nil, err
	}
	work := fmt.Sprintf("%d files of %s onto a volume with %s for each operation on metadata", b.sizes.slow, size(b.sizes.fileSize), b.sizes.delay)
	return []row{r.row("slow", work, aim{unit: faster, limit: 8, atLeast: true}, r.ratio("copy", "staging"), operations)}, nil
}

// operationsPerFile counts one more push and one more kubectl cp.
func (b *bench) operationsPerFile(ctx context.Context, v *slowVolume, d dataset) (string, error) {
	files, _, err := treeSize(d.dir)
	if err != nil {
		return "", err
	}
	table, w := b.table(), way{transport: webSocket}
	var counts []map[string]int64
	for _, step := range []func() error{
		func() error { return nil },
		func() error { _, err := b.push(ctx, v.place, w, d, table); return err },
		func() error { _, err := b.copyOnly(ctx, v.place, w, d); return err },
	} {
		if err := step(); err != nil {
			return "", err
		}
		n, err := v.operations(ctx)
		if err != nil {
			return "", err
		}
		counts = append(counts, n)
	}
	note := fmt.Sprintf("operations per file: %s by the plugin; %s by kubectl cp", perFile(counts[0], counts[1], files), perFile(counts[1], counts[2], files))
	return note, errors.Join(v.forget(ctx, table), v.erase(ctx, copyTarget))
}

// perFile is the difference of two counts by the number of files, the most frequent operation first.
func perFile(before, after map[string]int64, files int) string {
	each := func(name string) float64 { return float64(after[name]-before[name]) / float64(files) }
	names := slices.SortedFunc(maps.Keys(after), func(a, b string) int { return cmp.Or(cmp.Compare(each(b), each(a)), cmp.Compare(a, b)) })
	var words []string
	for _, name := range names {
		if name != "total" && each(name) >= 0.05 {
			words = append(words, fmt.Sprintf("%s %.1f", name, each(name)))
		}
	}
	return fmt.Sprintf("%.1f (%s)", each("total"), strings.Join(words, ", "))
}

// memory is the most that any push of this run held.
func (b *bench) memory() row {
	return row{
		name: "memory", work: "memory of the plugin, over all pushes above", aim: aim{unit: resident, limit: 160}, value: mib(b.peak.resident),
		notes: []string{"most for " + b.peak.row},
	}
}

// size writes a number of bytes for people.
func size(n int64) string {
	switch {
	case n >= 1<<30 && n%(1<<30) == 0:
		return fmt.Sprintf("%d GiB", n>>30)
	case n >= 10<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", mib(n))
	}
	return fmt.Sprintf("%.0f KiB", float64(n)/1024)
}
