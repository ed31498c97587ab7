#!/usr/bin/env bash
# fuzz.sh: fuzzes every fuzz target of the plugin for FUZZTIME each, 30s by default. What is found is left in testdata/fuzz of the
# package, as go test does it, and the other targets are fuzzed all the same.
set -euo pipefail
cd "$(dirname "$0")/../.."
failed=0
# A package at a time: -fuzz takes one target of one package.
while read -r package targets; do
  for target in $targets; do
    echo "fuzz: $package $target"
    go test -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-30s}" "$package" || failed=1
  done
done < <(
  # Only the packages that have a target are built for the list.
  grep -rl --include='*_test.go' '^func Fuzz' pkg hack | sed 's|/[^/]*$||' | sort -u | while IFS= read -r dir; do
    echo "./$dir" "$(go test -list '^Fuzz' "./$dir" | grep '^Fuzz' | tr '\n' ' ')"
  done
)
exit $failed
