@kubectl-tracebloc.exe __complete %*
