#!/bin/sh
# Validators that are not ours, from npm: ajv reads the JSON Schemas and the documents, Microsoft's multitool the SARIF. (JUnit, HTML, TAP and the
# picture are read by xmllint and prove in tests/formats_test.py.) Prints a reason where npm or its registry cannot be had. Environment: srcdir.
set -eu
: "${srcdir:?}"
export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
command -v npm >/dev/null || { echo "validators: SKIP: npm is not installed"; exit 0; }
(cd "$work" && npm install --no-audit --no-fund --silent ajv-cli@5 ajv-formats@2 @microsoft/sarif-multitool-linux) >"$work/log" 2>&1 ||
  (cd "$work" && npm install --no-audit --no-fund --silent ajv-cli ajv-formats @microsoft/sarif-multitool-linux) >>"$work/log" 2>&1 ||
  { echo "validators: SKIP: npm cannot install them: $(tail -n 1 "$work/log")"; exit 0; }
bin=$work/node_modules/.bin
failed=0

ajv() {  # SCHEMA FILE...
  schema=$1
  shift
  for file; do
    "$bin/ajv" validate --spec=draft7 --strict=false -c ajv-formats -s "$schema" -d "$file" >"$work/out" 2>&1 && continue
    failed=1
    tail -n 20 "$work/out"
  done
  echo "validators: ajv has read $# documents by $(basename "$schema")"
}
ajv "$srcdir/report/report.schema.json" "$srcdir"/tests/golden/*.json
ajv "$srcdir/facts/facts.schema.json" "$srcdir"/tests/facts/*.json
for file in "$srcdir"/tests/golden/*.sarif; do
  cp "$file" "$work/report.sarif"
  "$bin/sarif-multitool-linux" validate "$work/report.sarif" >"$work/out" 2>&1 || failed=1
  grep ': error ' "$work/out" && failed=1
  grep -q 'Analysis completed successfully' "$work/out" || { failed=1; tail -n 5 "$work/out"; }
done
echo "validators: the SARIF multitool has read $(find "$srcdir/tests/golden" -name '*.sarif' | wc -l) documents"
exit $failed
