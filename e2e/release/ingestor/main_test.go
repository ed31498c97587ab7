package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
)

func env(pairs ...string) func(string) string {
	m := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return func(name string) string { return m[name] }
}

func TestEntrypoint(t *testing.T) {
	var out, errOut bytes.Buffer
	if code := entrypoint(t.Context(), env(), &out, &errOut); code != exitNoMySQLHost || !strings.HasPrefix(errOut.String(), "ERROR: MYSQL_HOST must be set") {
		t.Errorf("without a host: %d %q", code, errOut.String())
	}
	out.Reset()
	errOut.Reset()
	code := entrypoint(t.Context(), env("MYSQL_HOST", "127.0.0.254", "MYSQL_WAIT_SECONDS", "0"), &out, &errOut)
	if code != exitNoMySQL || out.String() != "Waiting up to 0s for MySQL at 127.0.0.254:3306...\n" || errOut.String() != "ERROR: MySQL not reachable at 127.0.0.254:3306 after 0s\n" {
		t.Errorf("without a server: %d %q %q", code, out.String(), errOut.String())
	}
}

func TestConfigErrorsExit2(t *testing.T) {
	dir := t.TempDir()
	for _, tc := range []struct{ name, content, want string }{
		{"missing.yaml", "", "cannot read INGEST_CONFIG"},
		{"broken.yaml", "a: [", "is not valid YAML"},
		{"list.yaml", "- a\n", "must contain a mapping"},
		{"schema.yaml", "apiVersion: tracebloc.io/v1\n", "'kind' is a required property"},
		{"other.yaml", strings.Replace(imageSpec("/x", "t", ".png", 1, 1), "image_classification", "text_classification", 1), "'texts' is a required property"},
	} {
		path := filepath.Join(dir, tc.name)
		if tc.name != "missing.yaml" {
			write(t, path, tc.content)
		}
		_, err := loadConfig(env("INGEST_CONFIG", path))
		var errOut bytes.Buffer
		if code := report(err, &errOut); code != exitConfig || !strings.Contains(errOut.String(), tc.want) {
			t.Errorf("%s: %d %q, want %q", tc.name, code, errOut.String(), tc.want)
		}
	}
	_, err := loadConfig(env())
	if code := report(err, &bytes.Buffer{}); code != exitConfig {
		t.Errorf("unset: %d", code)
	}
}
