# Packet captures in the lab's namespaces.  To be sourced after host.sh.
# shellcheck shell=bash

capture_pids=()

# start_capture HOST|internet DEVICE FILE: returns once the capture runs.
start_capture() {
  ip netns exec "$(host_netns "$1")" tcpdump -n -U --immediate-mode -Z root -B 16384 -i "$2" -w "$3" 2>"$3.log" &
  capture_pids+=($!)
  wait_for 5 grep -q 'listening on' "$3.log" || die "no capture on $2 of $1: $(cat "$3.log")"
}

# await_capture FILE OCTETS: waits until so much has been written; tcpdump drops what it has not read when it ends.
await_capture() { wait_for 10 test_size "$@" || true; }
test_size() { [ "$(stat -c %s "$1")" -ge "$2" ]; }

stop_captures() {
  local pid
  for pid in "${capture_pids[@]}"; do
    kill -INT "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  capture_pids=()
}

# How many times the text stands in the bytes of the file.
count_text() { { grep -a -o -F -e "$1" "$2" || true; } | wc -l; }
