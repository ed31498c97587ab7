package release

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestServiceAccount(t *testing.T) {
	t.Parallel()
	entry := func(account, namespace string, prefixes ...string) AuthzEntry {
		return AuthzEntry{ServiceAccount: account, Namespace: namespace, TablePrefixes: prefixes}
	}
	const outOf = `; ConfigMap "authz" allows `
	const ask = `let whoever runs the release add an entry to its value ingestionAuthz.allowed and restart jobs-manager)`
	tests := []struct {
		name            string
		entries         []AuthzEntry
		table, override string
		want, err       string
	}{
		{name: "default policy", entries: []AuthzEntry{entry("ingestor", "ml", "*")}, table: "cats", want: "ingestor"},
		{name: "prefix", entries: []AuthzEntry{entry("xray", "ml", "xray_"), entry("ingestor", "ml", "cat")}, table: "cats", want: "ingestor"},
		{name: "first in the policy's order", entries: []AuthzEntry{entry("b", "ml", "*"), entry("a", "ml", "cats")}, table: "cats", want: "b"},
		{name: "override", entries: []AuthzEntry{entry("b", "ml", "*"), entry("a", "ml", "cats")}, table: "cats", override: "a", want: "a"},
		{name: "any table", entries: []AuthzEntry{entry("a", "ml", "cats")}, want: "a"},
		{name: "entry twice", entries: []AuthzEntry{entry("a", "ml", "x"), entry("a", "ml", "c")}, table: "cats", want: "a"},
		{name: "prefixes are literal", entries: []AuthzEntry{entry("a", "ml", "cat*")}, table: "cats",
			err: `the ingestion policy of the release lets no service account of namespace "ml" write table "cats"` + outOf +
				`"a" of namespace "ml": tables "cat*" (choose a --table that starts with an allowed prefix, or ` + ask},
		{name: "prefixes have a case", entries: []AuthzEntry{entry("a", "ml", "Cat")}, table: "cats",
			err: `the ingestion policy of the release lets no service account of namespace "ml" write table "cats"` + outOf +
				`"a" of namespace "ml": tables "Cat" (choose a --table that starts with an allowed prefix, or ` + ask},
		{name: "another namespace", entries: []AuthzEntry{entry("a", "other", "*")}, table: "cats",
			err: `the ingestion policy of the release lets no service account of namespace "ml" write table "cats"` + outOf +
				`"a" of namespace "other": tables "*" (choose a --table that starts with an allowed prefix, or ` + ask},
		{name: "denies everything", table: "cats",
			err: `the ingestion policy of the release lets no service account of namespace "ml" write table "cats"` + outOf + `nothing (` + ask},
		{name: "denies everything, any table",
			err: `the ingestion policy of the release lets no service account of namespace "ml" write a table` + outOf + `nothing (` + ask},
		{name: "entry without prefixes", entries: []AuthzEntry{entry("a", "ml")}, table: "cats",
			err: `the ingestion policy of the release lets no service account of namespace "ml" write table "cats"` + outOf +
				`"a" of namespace "ml": no table (choose a --table that starts with an allowed prefix, or ` + ask},
		{name: "entry without an account", entries: []AuthzEntry{entry("", "ml", "*")}, table: "cats",
			err: `the ingestion policy of the release lets no service account of namespace "ml" write table "cats"` + outOf +
				`"" of namespace "ml": tables "*" (choose a --table that starts with an allowed prefix, or ` + ask},
		{name: "override denied, another would do", entries: []AuthzEntry{entry("a", "ml", "*")}, table: "cats", override: "me\x1b",
			err: `the ingestion policy of the release lets service account "me\x1b" not write table "cats"` + outOf +
				`"a" of namespace "ml": tables "*" (use --service-account=a)`},
		{name: "override denied, any table", entries: []AuthzEntry{}, override: "me",
			err: `the ingestion policy of the release lets service account "me" write no table` + outOf + `nothing (` + ask},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := &Release{Namespace: "ml", AuthzConfigMap: "authz", Authz: tt.entries}
			got, err := r.ServiceAccount(tt.table, tt.override)
			if tt.err == "" {
				if err != nil || got != tt.want {
					t.Fatalf("got %q, %v; want %q", got, err, tt.want)
				}
				return
			}
			var denied *DeniedError
			if !errors.As(err, &denied) {
				t.Fatalf("got %v, want a *DeniedError", err)
			}
			if err.Error() != tt.err {
				t.Errorf("got  %s\nwant %s", err, tt.err)
			}
		})
	}
}

func TestParsePolicy(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		want       []AuthzEntry
		fails      bool
	}{
		{name: "as the chart writes it", text: "allowed:\n  - service_account: \"ingestor\"\n    namespace: \"ml\"\n    table_prefixes:\n      - \"*\"\n",
			want: []AuthzEntry{{ServiceAccount: "ingestor", Namespace: "ml", TablePrefixes: []string{"*"}}}},
		{name: "unknown fields", text: "version: 2\nallowed:\n  - {service_account: a, namespace: b, table_prefixes: [c, d], comment: x}\n",
			want: []AuthzEntry{{ServiceAccount: "a", Namespace: "b", TablePrefixes: []string{"c", "d"}}}},
		{name: "deny all", text: "allowed: []\n", want: []AuthzEntry{}},
		{name: "empty", text: "\n", fails: true},
		{name: "comment only", text: "# nothing\n", fails: true},
		{name: "null list", text: "allowed:\n", fails: true},
		{name: "list of strings", text: "allowed: [ingestor]\n", fails: true},
		{name: "one prefix, no list", text: "allowed:\n  - {service_account: a, namespace: b, table_prefixes: \"*\"}\n", fails: true},
		{name: "no YAML", text: "\t: [", fails: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := parsePolicy(tt.text)
			if tt.fails != (err != nil) {
				t.Fatalf("got %v, %v", got, err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Whatever the ConfigMap holds, an account is only named when an entry of this
// namespace names it.
func FuzzParsePolicy(f *testing.F) {
	f.Add("allowed:\n  - service_account: a\n    namespace: ml\n    table_prefixes: [\"*\"]\n", "cats")
	f.Add("allowed: &x [*x]", "")
	f.Fuzz(func(t *testing.T, text, table string) {
		entries, err := parsePolicy(text)
		if err != nil {
			return
		}
		r := &Release{Namespace: "ml", Authz: entries}
		account, err := r.ServiceAccount(table, "")
		if (account == "") != (err != nil) {
			t.Fatalf("account %q, error %v", account, err)
		}
		for _, entry := range entries {
			if entry.ServiceAccount == account && entry.Namespace == "ml" {
				return
			}
		}
		if err == nil {
			t.Fatalf("account %q is in no entry", account)
		}
	})
}
