#!/usr/bin/env bash
# Memory and CPU of idle agents, ours and serf's, in the same minute: each alone, then five of each
# in a pool of their own. Linux, loopback only. Lines: agent, pool size, RSS in kB, CPU in ms/s.
#
#   cargo build --release -p swim-tokio && swim-tokio/benches/idle.sh [SECONDS] [path/to/swim]
set -euo pipefail
seconds=${1:-60}
swim=${2:-${CARGO_TARGET_DIR:-target}/release/swim}
pids=()
trap 'kill "${pids[@]}" 2>/dev/null' EXIT

start() { # kind, name, address, pool's first address
  local join=()
  [ "$3" = "$4" ] || join=("-join=$4:7946")
  case $1 in
  swim) "$swim" agent "-node=$2" "-bind=$3:7946" "-rpc-addr=$3:7373" -log-level=err "${join[@]}" >/dev/null 2>&1 & ;;
  serf) serf agent "-node=$2" "-bind=$3:7946" "-rpc-addr=$3:7373" -log-level=err "${join[@]}" >/dev/null 2>&1 & ;;
  esac
  pids+=($!)
}

cpu_ns() { # pid: time on a CPU, all threads
  cat "/proc/$1/task/"*/schedstat | awk '{ns += $1} END {printf "%d\n", ns}'
}

net=127.$((100 + $$ % 150))
declare -A what
for kind in swim serf; do
  second=$([ $kind = swim ] && echo 1 || echo 2)
  start $kind alone "$net.$second.1" "$net.$second.1"
  what[${pids[-1]}]="$kind 1"
  for n in 1 2 3 4 5; do
    start $kind "n$n" "$net.1$second.$n" "$net.1$second.1"
    what[${pids[-1]}]="$kind 5"
    [ $n -gt 1 ] || sleep 0.5
  done
done
sleep 10
declare -A before
for pid in "${pids[@]}"; do before[$pid]=$(cpu_ns "$pid"); done
sleep "$seconds"
for pid in "${pids[@]}"; do
  used=$(($(cpu_ns "$pid") - before[$pid]))
  rss=$(awk '/^VmRSS/ {print $2}' "/proc/$pid/status")
  awk -v what="${what[$pid]}" -v rss="$rss" -v ns=$used -v s="$seconds" \
    'BEGIN {printf "%s %d kB %.3f ms/s\n", what, rss, ns / s / 1e6}'
done | sort
