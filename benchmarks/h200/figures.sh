#!/usr/bin/env bash
# Figures of the worker on full-size random pipelines: `benchmarks/h200/figures.sh OUTPUT_FOLDER [aa|native|native-one|fastest]...`
# on a machine with an H200; each part takes 4 to 9 minutes, `fastest` with its eight compiled trials about 20.
# SCHED=EulerDiscrete measures all but `fastest` with that scheduler instead of DDIM.
set -uo pipefail
cd "$(dirname "$0")/../.."
out=$1 python=${PYTHON:-python3}
shift
[ $# -gt 0 ] || set -- aa native native-one fastest
for kind in sd15 sdxl; do
  [ -d "/tmp/models/$kind" ] || "$python" scripts/make_random_pipeline.py --kind "$kind" --out "/tmp/models/$kind"
done
full=(--device cuda --dtype float16 --sched "${SCHED:-DDIM}")
sd15=(--pipe /tmp/models/sd15 --steps 50 --batch_size 4)
sdxl=(--pipe /tmp/models/sdxl --steps 20 --batch_size 2)
for part in "$@"; do
  case $part in
    aa)
      # Batches that keep the card busy, so that the host's pauses stay hidden; few steps, as each run is one of hundreds.
      aa=("${full[@]}" --comparisons 30 --width 0.01)
      "$python" benchmarks/aa.py "${aa[@]}" --pipe /tmp/models/sd15 --steps 5 --batch_size 16 | tee "$out/aa-sd15.txt"
      "$python" benchmarks/aa.py "${aa[@]}" --pipe /tmp/models/sdxl --steps 4 --batch_size 4 | tee "$out/aa-sdxl.txt" ;;
    native)
      "$python" benchmarks/native_package.py "${full[@]}" "${sd15[@]}" --max_repeats 12 | tee "$out/native-sd15.txt"
      "$python" benchmarks/native_package.py "${full[@]}" "${sdxl[@]}" --max_downsample 2 --max_repeats 8 | tee "$out/native-sdxl.txt" ;;
    native-one)
      # An image at a time, where the host is the limit and more pairs are affordable.
      one=("${full[@]}" --batch_size 1 --intervals 5 --ratios --max_repeats 20)
      "$python" benchmarks/native_package.py "${one[@]}" --pipe /tmp/models/sd15 --steps 50 | tee "$out/native-one-sd15.txt"
      "$python" benchmarks/native_package.py "${one[@]}" --pipe /tmp/models/sdxl --steps 20 | tee "$out/native-one-sdxl.txt" ;;
    fastest)
      "$python" -m accsearch run benchmarks/h200/fastest.yaml --workdir /tmp/fastest 2>&1
      "$python" -m accsearch export --workdir /tmp/fastest -o "$out/fastest.csv" ;;
  esac
done
