package cmd

import (
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNewClientVersion(t *testing.T) {
	const day = "2026-11-24T01:02:03Z"
	settings := func(modified string) *debug.BuildInfo {
		return &debug.BuildInfo{Settings: []debug.BuildSetting{
			{Key: "GOOS", Value: "plan9"}, {Key: "vcs", Value: "git"}, {Key: "vcs.revision", Value: "1a2b3c"}, {Key: "vcs.time", Value: day}, {Key: "vcs.modified", Value: modified},
		}}
	}
	for _, tt := range []struct {
		name string
		told buildCommit
		info *debug.BuildInfo
		want buildCommit
	}{
		{"without build information", buildCommit{}, nil, buildCommit{}},
		{"without a repository", buildCommit{}, &debug.BuildInfo{Settings: []debug.BuildSetting{{Key: "-trimpath", Value: "true"}}}, buildCommit{}},
		{"of a commit", buildCommit{}, settings("false"), buildCommit{"1a2b3c", "clean", day}},
		{"of a changed work tree", buildCommit{}, settings("true"), buildCommit{"1a2b3c", "dirty", day}},
		{"of a release", buildCommit{"4d5e6f", "clean", "2026-11-25T00:00:00Z"}, settings("true"), buildCommit{"4d5e6f", "clean", "2026-11-25T00:00:00Z"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := clientVersion{Version: "v1.2.3", buildCommit: tt.want, GoVersion: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
			got := newClientVersion("v1.2.3", tt.told, func() (*debug.BuildInfo, bool) { return tt.info, tt.info != nil })
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(clientVersion{})); diff != "" {
				t.Errorf("client version (-want +got):\n%s", diff)
			}
		})
	}
}
