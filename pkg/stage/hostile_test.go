//go:build unix

package stage

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
)

// TestLiesAreNotBelieved: whatever the other side says, a transfer succeeds only with PUBLISHED and the nonce of that session, and it
// ends. The clock is a fake one.
func TestLiesAreNotBelieved(t *testing.T) {
	t.Parallel()
	mute := map[string]string{"S": "", "R": ""}
	someID := strings.Repeat("a", 64)
	for name, l := range map[string]liar{
		"nothing":               {silent: true, ends: true},
		"never ready":           {silent: true},
		"ready alone":           {greeting: "READY NONCE\n"},
		"no tree":               {greeting: "DEST NONCE absent\nLOCKED NONCE \n"},
		"answers of no session": {silent: true, after: says("TREE x absent\nDEST x absent\nREADY x\n"), ends: true},
		"old nonce":             {answer: map[string]string{"P": "PUBLISHED 0000000000000000 TREEID\n"}},
		"ends at once":          {ends: true},
		"ack never sent":        {after: says("OK NONCE " + someID + "\n"), answer: mute},
		"ack of the whole":      {after: says("OK NONCE \nOK NONCE -\nOK NONCE *\n"), answer: mute},
		"refusal of nothing":    {after: says("ERR NONCE " + someID + " write 41\n")},
		"refuses each":          {answer: map[string]string{"S": "ERR NONCE ID checksum 41\n"}},
		"refuses ranges":        {answer: map[string]string{"R": "ERR NONCE ID checksum 41\n"}},
		"refuses files":         {answer: map[string]string{"F": "ERR NONCE ID lost 41\n"}},
		"never answers":         {answer: map[string]string{"S": "", "R": ""}},
		"never publishes":       {answer: map[string]string{"P": ""}},
		"refuses to publish":    {answer: map[string]string{"P": "ERR NONCE - checksum 41\n"}},
		"publishes early":       {answer: map[string]string{"S": "PUBLISHED NONCE TREEID\n", "R": "PUBLISHED NONCE TREEID\n", "P": ""}},
		"prefix of a line":      {answer: map[string]string{"P": "xPUBLISHED NONCE TREEID\n PUBLISHED NONCE TREEID\nPUBLISHED  NONCE TREEID\n"}},
		"no line break":         {answer: map[string]string{"P": "PUBLISHED NONCE TREEID"}},
		"escapes":               {answer: map[string]string{"P": "PUBLISHED NONCE TREEID\x1b[0m\nPUBLISHED NONCE TREEID\x00\n"}},
		"escapes in errors":     {answer: map[string]string{"P": "ERR NONCE - write 1b5b33316d1b5d303b7077641b5c0a0d\n"}},
		"beats only":            {silent: true, after: beatsForever},
		"beats and reads":       {answer: map[string]string{"S": "", "R": ""}, after: func(ctx context.Context, nonce string, out io.Writer) { go beatsForever(ctx, nonce, out) }},
		"reads nothing":         {unread: true, after: beatsForever},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := small()
			files["big"] = noise(3 * fineRange)
			p, d := liarPlan(t, files)
			synctest.Test(t, func(t *testing.T) {
				report, err := (&Volume{Exec: l}).Transfer(t.Context(), p, d, Options{})
				switch {
				case err == nil:
					t.Errorf("it was believed: %+v", report)
				case strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' || r == 0x7f }):
					t.Errorf("unescaped: %q", err)
				}
			})
		})
	}
}

// TestTruthIsBelieved shows that the fakes above fail for their lies only.
func TestTruthIsBelieved(t *testing.T) {
	t.Parallel()
	files := small()
	files["big"] = noise(3 * fineRange)
	p, d := liarPlan(t, files)
	report, err := (&Volume{Exec: liar{greeting: "noise\n\x1b[31m\n" + emptyVolume}}).Transfer(t.Context(), p, d, Options{})
	if err != nil || report.Files != int64(len(files)) || report.Retries != 0 {
		t.Errorf("report %+v, %v", report, err)
	}
}

// TestLyingSums: sums of an older tree are taken for what they are: somebody's claim. Nothing but a clean path of its own gets into an
// archive of links, and lines that make no sense have no effect.
func TestLyingSums(t *testing.T) {
	t.Parallel()
	p, d := liarPlan(t, small())
	sum := fmt.Sprintf("%x", p.Manifest[0].SHA256)
	for name, text := range map[string]string{
		"up":        sum + "  ./../../../etc/passwd\n",
		"absolute":  sum + "  .//etc/passwd\n",
		"within":    sum + "  ./a/../../../etc/passwd\n",
		"control":   sum + "  ./a\tb\x1b\n",
		"empty":     sum + "  ./\n",
		"dot":       sum + "  ./.\n",
		"not hex":   strings.Repeat("z", 64) + "  ./a\n",
		"no line":   strings.Repeat("x", 1<<20),
		"zeros":     strings.Repeat("\x00", 1<<20),
		"not ours":  strings.Repeat(strings.Repeat("0", 64)+"  ./a\n", 1000),
		"not a gz":  "",
		"long name": sum + "  ./" + strings.Repeat("a/", 2500) + "a\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			answer := have(text)
			if name == "not a gz" {
				answer = "HAVE NONCE ////\nHAVE NONCE %%%%\nHAVE NONCE\nGOT NONCE\n"
			}
			l := liar{greeting: "OLDER NONCE 0123456789abcdef\nOLDER NONCE ../../etc\n" + emptyVolume, answer: map[string]string{"G": answer}}
			report, err := (&Volume{Exec: l}).Transfer(t.Context(), p, d, Options{})
			if err != nil || report.TakenOverFiles != 0 || report.Files != int64(len(small())) || report.Retries != 0 {
				t.Errorf("report %+v, %v", report, err)
			}
		})
	}
}

// TestLyingReceipts: receipts of ranges that cannot be.
func TestLyingReceipts(t *testing.T) {
	t.Parallel()
	files := map[string]string{"big": noise(3 * fineRange)}
	p, d := liarPlan(t, files)
	id := newBigFile(d, p, 0).id
	var text strings.Builder
	for _, receipt := range []string{"0.32768." + strings.Repeat("a", 64), "0.1.", "-1.x.y", "99999999999999999999.1.1", "1.32768.x", "x", ".", "..", "0", ""} {
		fmt.Fprintf(&text, "big/%s/%s\nbig/%s\nbig//%s\n", id, receipt, receipt, receipt)
	}
	l := liar{greeting: "TREE NONCE absent\nDEST NONCE absent\nLOCKED NONCE some\n", answer: map[string]string{"G": have(text.String())}}
	report, err := (&Volume{Exec: l}).Transfer(t.Context(), p, d, Options{})
	if err != nil || report.TakenOverBytes != 0 || report.Bytes != p.Manifest.Bytes() {
		t.Errorf("report %+v, %v", report, err)
	}
}

// TestProbeIsBounded: a listing without end is cut, and names that no push makes are left out.
func TestProbeIsBounded(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	for i := range 3 * maxListed {
		fmt.Fprintf(&text, "WORK NONCE .trash-%016x-%d\nWORK NONCE ../../etc\nWORK NONCE .trash-x\nOLDER NONCE %016x\nOLDER NONCE ../x\n", i, i, i)
	}
	l := liar{greeting: text.String() + "SPACE NONCE zz\nINODES NONCE 2d\nRECORD NONCE 7b7d\nTREE NONCE\nDEST NONCE\nLOCKED NONCE\n"}
	p, _ := liarPlan(t, small())
	probe, err := (&Volume{Exec: l}).Probe(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	if len(probe.Leftovers) != maxListed || len(probe.Older) != maxListed {
		t.Errorf("%d leftovers, %d older trees", len(probe.Leftovers), len(probe.Older))
	}
	probe.Leftovers, probe.Older = nil, nil
	if diff := cmp.Diff(Probe{FreeBytes: -1, FreeInodes: -1}, probe, cmp.AllowUnexported(Probe{})); diff != "" {
		t.Errorf("probe (-want +got):\n%s", diff)
	}
}
