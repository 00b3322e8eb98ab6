#!/usr/bin/env bash
# A command of the trainer on several machines, by accelerate. Run it on each of them, in the pack's folder:
#
#   MAIN_ADDRESS=10.0.0.1 MACHINE_RANK=0 training/launch/machines.sh training.fit my.yaml [--set a.b=c ...]
#   MAIN_ADDRESS=10.0.0.1 MACHINE_RANK=1 training/launch/machines.sh training.fit my.yaml [--set a.b=c ...]
#
# MAIN_ADDRESS   of the machine with rank 0, as the others reach it
# MACHINE_RANK   0, 1, ...
# MACHINES       how many there are (2)
# MAIN_PORT      a free port of the first one (29500)
# PROCESSES      on each machine (one for each GPU; 1 without)
# PYTHON         (python)
#
# cache.dir and output_dir have to be on a disk that all machines share.
set -euo pipefail

: "${MAIN_ADDRESS:?is not set: the address of the machine with rank 0}"
: "${MACHINE_RANK:?is not set: 0 on the first machine, 1 on the second}"
machines=${MACHINES:-2}
gpus=$(nvidia-smi --list-gpus 2>/dev/null | wc -l || true)
processes=${PROCESSES:-$((gpus > 0 ? gpus : 1))}

# --multi_gpu starts the processes; with run.device cpu they use gloo.
exec "${PYTHON:-python}" -m accelerate.commands.launch --multi_gpu \
  --num_machines "$machines" --machine_rank "$MACHINE_RANK" \
  --main_process_ip "$MAIN_ADDRESS" --main_process_port "${MAIN_PORT:-29500}" \
  --num_processes $((machines * processes)) --mixed_precision no --dynamo_backend no \
  -m "$@"
