package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"
)

// manifest renders the krew manifest. Its template is the one that krew-release-bot reads at each release, and is written in the
// bot's language: .TagName, and addURIAndSha, which finds out the sum of what it is given the address of.
func (r *release) manifest(path string) ([]byte, error) {
	unused := map[string]string{}
	for _, platform := range platforms {
		unused[downloads+"/"+r.version+"/"+r.archive(platform)] = platform
	}
	tag := struct{ TagName string }{r.version}
	text, err := execute(path, tag, template.FuncMap{
		"addURIAndSha": func(address, name string) (string, error) {
			address, err := expand(address, struct{ TagName string }{name})
			if err != nil {
				return "", err
			}
			platform, ok := unused[address]
			if !ok {
				return "", fmt.Errorf("%q is no archive of release %s, or was used before", address, r.version)
			}
			delete(unused, address)
			return "uri: " + r.uri(platform) + "\n    sha256: " + r.sums[r.archive(platform)], nil
		},
	})
	if err != nil {
		return nil, err
	}
	for _, platform := range unused {
		return nil, fmt.Errorf("%s has no platform that takes archive %q", path, r.archive(platform))
	}
	return text, nil
}

// formula renders the Homebrew formula.
func (r *release) formula(path string) ([]byte, error) {
	known := func(platform string) error {
		if _, ok := r.sums[r.archive(platform)]; !ok {
			return fmt.Errorf("platform %q has no archive", platform)
		}
		return nil
	}
	version := struct{ Version string }{strings.TrimPrefix(r.version, "v")}
	return execute(path, version, template.FuncMap{
		"uri":    func(platform string) (string, error) { return r.uri(platform), known(platform) },
		"sha256": func(platform string) (string, error) { return r.sums[r.archive(platform)], known(platform) },
	})
}

func execute(path string, data any, functions template.FuncMap) ([]byte, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	t, err := template.New(filepath.Base(path)).Option("missingkey=error").Funcs(functions).Parse(string(text))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := t.Execute(&out, data); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func expand(text string, data any) (string, error) {
	t, err := template.New("address").Parse(text)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	if err := t.Execute(&out, data); err != nil {
		return "", err
	}
	return out.String(), nil
}
