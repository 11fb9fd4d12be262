#!/usr/bin/env bash
# Kills training runs with SIGKILL, and stops others with Ctrl-C in a terminal (tmux), at random moments. Each run is
# resumed, and must end with the same bytes as an undisturbed run:
#
#   scripts/kill-and-resume.sh [TIMES]
#
# The script passes if it prints two lines that begin with "20 of 20: ", or with another number for TIMES.
set -euo pipefail
cd "$(dirname "$0")/.."
times="${1:-20}"
TMUX_REQUIRED=1 mvn -q test -Dmlpcuda.kills="$times" -Dmlpcuda.stops="$times" \
  -Dtest='ResumeAfterKillTest,SignalsInTerminalTest#stoppedAtAnyMomentItGoesOnToTheSameBytes'
