#!/usr/bin/env bash
# Kills training runs with SIGKILL, and stops others by Ctrl-C in a terminal (tmux), at random
# moments; compares what they end with, resumed, with the bytes of a run that nobody disturbs:
#
#   scripts/kill-and-resume.sh [TIMES]
#
# Two lines count: "20 of 20: …".
set -euo pipefail
cd "$(dirname "$0")/.."
times="${1:-20}"
TMUX_REQUIRED=1 mvn -q test -Dmlpcuda.kills="$times" -Dmlpcuda.stops="$times" \
  -Dtest='ResumeAfterKillTest,SignalsInTerminalTest#stoppedAtAnyMomentItGoesOnToTheSameBytes'
