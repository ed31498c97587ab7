#!/bin/sh
# push.sh KEY NAMESPACE DATASET [FLAGS...]: pushes a dataset as the run KEY, and writes what became of it to run.json. What can pass by
# itself is tried again with the same key: files that arrived are not sent again, and a run that was submitted is joined, never started
# twice.
set -eu
key=$1 namespace=$2
shift 2
attempts=${ATTEMPTS:-3} pause=${PAUSE:-30} attempt=1
while :; do
  code=0
  kubectl tracebloc push "$@" --namespace="$namespace" --idempotency-key="$key" --no-progress -o json >run.json || code=$?
  case $code in
  7 | 8) ;; # the transfer or the submit failed: what is there already stays
  9) # the run is over and not well, or goes on and was lost sight of: the cluster knows
    code=0
    kubectl tracebloc wait "$key" --namespace="$namespace" -o json >run.json || code=$?
    exit $code
    ;;
  *) exit $code ;; # done; or a spec, a dataset or a permission that no second attempt puts right
  esac
  [ "$attempt" -lt "$attempts" ] || exit $code
  echo "attempt $attempt of $attempts ended with $code; the next in $pause seconds" >&2
  sleep "$pause"
  attempt=$((attempt + 1))
done
