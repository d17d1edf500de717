#!/usr/bin/env bash
# The scheduling loop of the original scripts, re-created: a slot table, kill -0 every 5 s, `&& touch` markers.
# seed.sh SLOTS TASK TABLE TIMES FOLDER < ids
slots=$1 task=$2 table=$3 times=$4 folder=$5
mkdir -p "$folder/logs" "$folder/checkpoints"
declare -A pids
mapfile -t ids
reap() { for gpu in "${!pids[@]}"; do kill -0 "${pids[$gpu]}" 2>/dev/null || unset "pids[$gpu]"; done; }
for id in "${ids[@]}"; do
  [ -f "$folder/checkpoints/$id.done" ] && continue
  while [ "${#pids[@]}" -ge "$slots" ]; do
    reap
    [ "${#pids[@]}" -ge "$slots" ] && sleep 5
  done
  for ((gpu = 0; gpu < slots; gpu++)); do [ -z "${pids[$gpu]:-}" ] && break; done
  (CUDA_VISIBLE_DEVICES=$gpu "$task" "$id" "$table" "$times" >"$folder/logs/$id.log" 2>&1 &&
    touch "$folder/checkpoints/$id.done") &
  pids[$gpu]=$!
done
while [ "${#pids[@]}" -gt 0 ]; do
  reap
  [ "${#pids[@]}" -gt 0 ] && sleep 5
done
exit 0
