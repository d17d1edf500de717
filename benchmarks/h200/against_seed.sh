#!/usr/bin/env bash
# accsearch against the original traversal on full-size SD1.5 with random weights, 50 steps of Euler, batches of 4:
# `benchmarks/h200/against_seed.sh OUTPUT_FOLDER [startup|traversal|bound|aa]...` on a machine with an H200.
# SIZES="2 6" and SAMPLE=8 say how many trials are run, and on how many the original is timed for `bound`.
set -uo pipefail
cd "$(dirname "$0")/../.."
out=$1 python=${PYTHON:-python3} model=/tmp/models/sd15
shift
[ $# -gt 0 ] || set -- startup traversal bound aa
# Imports read compiled bytecode, as after an installation, also where the image's packages have none.
unset PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX=/tmp/bytecode
"$python" -c 'import accsearch.worker.run, diffusers, open_clip, torchmetrics.functional.image, tgate, DeepCache, tomesd
diffusers.StableDiffusionPipeline, diffusers.EulerDiscreteScheduler, diffusers.DDIMScheduler'
[ -d "$model" ] || "$python" scripts/make_random_pipeline.py --kind sd15 --out "$model"
subject=(--pipe "$model" --device cuda --dtype float16 --sched EulerDiscrete --steps 50 --num_samples 32)
for part in "$@"; do
  rm -rf "/tmp/against-$part"
  case $part in
    startup) "$python" benchmarks/startup.py --model "$model" --device cuda --scorer builtin:tiny --tasks 3 ;;
    traversal)
      "$python" benchmarks/against_seed.py --workdir /tmp/against-traversal "${subject[@]}" --scorer builtin:tiny \
        --sizes ${SIZES:-2 6} ;;
    bound)
      "$python" benchmarks/against_seed.py --workdir /tmp/against-bound "${subject[@]}" --sizes \
        --bound configs/sd15.yaml --stand-in --sample "${SAMPLE:-8}" ;;
    aa)
      # Batches that keep the card busy, so that the host's pauses stay hidden.
      "$python" benchmarks/aa.py --pipe "$model" --device cuda --dtype float16 --sched EulerDiscrete --steps 5 \
        --batch_size 16 --batches 4 --timing batches --comparisons 30 ;;
  esac 2>&1 | tee "$out/$part.txt"
done
tar czf "$out/work.tgz" -C /tmp --exclude '*.png' --ignore-failed-read against-traversal against-bound 2>/dev/null
