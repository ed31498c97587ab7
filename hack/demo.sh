#!/usr/bin/env bash
# Pushes two generated datasets into a release on the cluster of KUBECONFIG, and shows their rows in the release's database.
# Each run makes tables of its own, so that it can be repeated. `make demo` brings up the cluster and builds the plugin first.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
namespace=${DEMO_NAMESPACE:-tracebloc}
stamp=$(date +%Y%m%d_%H%M%S)

data=$(mktemp -d)
trap 'rm -rf "$data"' EXIT

title() { printf '\n== %s\n' "$*"; }
run() {
  printf '$ %s\n' "$*"
  "$@"
}

rows() { go -C "$root/e2e" run ./release/rows --namespace "$namespace" --limit 5 "$1"; }

title "Installing a release in namespace $namespace; its two private images are stand-ins"
go -C e2e run ./release/install --namespace "$namespace"

title "Generating two small datasets"
go -C e2e run ./gen/dataset images --count 60 "$data/blocks_$stamp"
go -C e2e run ./gen/dataset tabular --rows 200 "$data/people_$stamp"
cd "$data"
ls -d -- */* | sed 's/^/  /'

title "Would a push work here?"
run kubectl tracebloc info -n "$namespace"

title "Pushing pictures: task, label column and size come from the data"
run kubectl tracebloc push "./blocks_$stamp" -n "$namespace"
title "Its rows in MariaDB"
rows "blocks_$stamp"

title "Pushing a table"
run kubectl tracebloc push "./people_$stamp" -n "$namespace" --task=tabular_classification
title "Its rows in MariaDB"
rows "people_$stamp"

title "Done. make cluster-down stops the cluster; make demo pushes again, into new tables"
