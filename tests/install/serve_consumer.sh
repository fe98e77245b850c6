#!/usr/bin/env bash
# usage: serve_consumer.sh SHMATCHD CONSUMER: runs CONSUMER against an engine of its own.
set -euo pipefail

folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
coproc engine { exec "$1" --socket "$folder/engine.sock" --idle sleep; }
engine_pid="$engine_PID"
trap 'kill "$engine_pid" 2>/dev/null || true; rm -rf "$folder"' EXIT

if ! read -r -t 30 line <&"${engine[0]}" || [[ "$line" != "ready $folder/engine.sock" ]]; then
  echo "the engine did not get ready: ${line-}" >&2
  exit 1
fi
timeout 30 "$2" "$folder/engine.sock"

kill -TERM "$engine_pid"
wait "$engine_pid"
if [[ -e "$folder/engine.sock" ]]; then
  echo "the engine left its socket behind" >&2
  exit 1
fi
