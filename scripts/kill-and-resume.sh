#!/usr/bin/env bash
# Kills training runs with SIGKILL at random moments and compares what they end with, resumed, with
# the bytes of a run that nobody kills:
#
#   scripts/kill-and-resume.sh [KILLS]
#
# The last line counts: "20 of 20: …".
set -euo pipefail
cd "$(dirname "$0")/.."
mvn -q test -Dtest=ResumeAfterKillTest -Dmlpcuda.kills="${1:-20}"
