#!/usr/bin/env bash
# The main job on full-size random pipelines: `benchmarks/h200/run.sh OUTPUT_FOLDER` on a machine with H200s.
set -euo pipefail
cd "$(dirname "$0")/../.."
out=$1 work=/tmp/h200 python=${PYTHON:-python3}
for kind in sd15 sdxl; do
  [ -d "/tmp/models/$kind" ] || "$python" scripts/make_random_pipeline.py --kind "$kind" --out "/tmp/models/$kind"
done
"$python" -m accsearch gpus
"$python" -m accsearch run benchmarks/h200/sd15.yaml benchmarks/h200/sdxl.yaml --workdir "$work" 2>&1
"$python" -m accsearch status --workdir "$work"
"$python" -m accsearch export --workdir "$work" -o "$out/trials.csv"
tar czf "$out/work.tgz" -C "$work" checkpoints logs results
