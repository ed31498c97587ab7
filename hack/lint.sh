#!/usr/bin/env bash
# Everything that can be checked without running a test. All checks run; the exit code says whether one failed.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
failed=0
check() { # check TITLE COMMAND...
  local title=$1
  shift
  echo "lint: $title"
  "$@" || { echo "lint: FAILED: $title" >&2; failed=1; }
}

sources() { git ls-files --cached --others --exclude-standard -- "$@" | while IFS= read -r f; do [ ! -f "$f" ] || printf '%s\n' "$f"; done; }

long_files() {
  local f n bad=0
  while IFS= read -r f; do
    n=$(wc -l <"$f")
    [ "$n" -le 400 ] || { echo "$f: $n lines; 400 is the limit, look for a better cut" >&2; bad=1; }
  done < <(sources '*.go' | grep -vE '(_test|zz_generated[^/]*)\.go$')
  return $bad
}

scripts() { sources '*.sh' .ci/run plugins/kubectl_complete-tracebloc; }

parse_scripts() {
  local f bad=0
  while IFS= read -r f; do bash -n "$f" || bad=1; done < <(scripts)
  return $bad
}

# Files that are sourced have no shebang, and their names are used elsewhere. The pieces below pkg/ are put together by the
# plugin; their tests run them.
shell_check() { scripts | grep -v ^pkg/ | xargs shellcheck --shell=bash --severity=warning --exclude=SC2034,SC2154; }

golangci() { (cd "$1" && "$lint" run --config "$OLDPWD/.golangci.yaml" ./...); }

tidy() { go -C "$1" mod tidy -diff; }

# golangci-lint spells the Go code. What tests compare with may be spelled as it likes.
spelling() { sources '*.md' '*.sh' '*.ps1' '*.yaml' '*.yml' Makefile ':!:**/testdata/**' | tr '\n' '\0' | xargs -0 "$misspell" -error -locale US; }

lint=$(hack/tool.sh golangci-lint) || exit 1
misspell=$(hack/tool.sh misspell) || exit 1
actionlint=$(hack/tool.sh actionlint) || exit 1
check "files of at most 400 lines" long_files
check "scripts parse" parse_scripts
if command -v shellcheck >/dev/null; then check "shellcheck" shell_check; fi
check "links, headings and names in documents" go run ./hack/prose
check "spelling" spelling
check "workflows" "$actionlint" -no-color -pyflakes=
check "go.mod is tidy" tidy .
check "e2e/go.mod is tidy" tidy e2e
check "golangci-lint" golangci .
check "golangci-lint in e2e" golangci e2e
exit $failed
