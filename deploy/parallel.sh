#!/bin/sh
# A fleet by GNU parallel on this computer: deploy/parallel.sh SHARDS [OPTION of azssh-doctor]...
# Each shard keeps its lines in $OUT and goes on with them when it is started again.
set -eu
shards=${1:?"how many shards?"}
shift
OUT=${OUT:-$PWD/azssh-doctor} AZSSH_DOCTOR=${AZSSH_DOCTOR:-azssh-doctor}
export OUT AZSSH_DOCTOR
mkdir -p "$OUT"
# shellcheck disable=SC2016 # for the shell that parallel starts; 1 and 3 are answers about VMs, not failures
seq "$shards" | parallel -q sh -c 'k=$1 n=$2 code=0; shift 2
"$AZSSH_DOCTOR" --all --no-probe "$@" --shard "$k/$n" -f ndjson --resume "$OUT/$k.ndjson" || code=$?
[ $code -le 1 ] || [ $code -eq 3 ]' sh {} "$shards" "$@"
