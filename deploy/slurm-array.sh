#!/bin/sh
# A fleet over the tasks of a Slurm array: sbatch --array=1-8 deploy/slurm-array.sh
# Each task keeps its lines in $OUT (a folder that all nodes see) and goes on with them when it is started again.
#SBATCH --job-name=azssh-doctor
#SBATCH --cpus-per-task=1
#SBATCH --mem=512M
#SBATCH --time=00:15:00
set -u
OUT=${OUT:-$PWD/azssh-doctor}
mkdir -p "$OUT"
code=0
"${AZSSH_DOCTOR:-azssh-doctor}" --all --no-probe "$@" --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" \
  -f ndjson --resume "$OUT/$SLURM_ARRAY_TASK_ID.ndjson" || code=$?
# 1 and 3 are answers about VMs, not failures of the task
[ "$code" -le 1 ] || [ "$code" -eq 3 ]
