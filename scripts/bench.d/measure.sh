# What is measured in each case, and how.  To be sourced.
# shellcheck shell=bash

# put METRIC VALUE
put() { echo "$case $1 $2" >&3; }

# MTUs alone can make one case look faster than another, so the largest packet has to pass, and one octet more has not.
expect_mtu() {
  local mtu=$1
  in_guest g1 ping -q -c 2 -W 2 -M "do" -s $((mtu - 28)) "$peer" >/dev/null ||
    die "$case: packets of $mtu octets do not pass"
  ! in_guest g1 ping -q -c 1 -W 1 -M "do" -s $((mtu - 27)) "$peer" >/dev/null 2>&1 ||
    die "$case: packets of more than $mtu octets pass"
}

# User and system time of the tunnel's processes until now, in ticks (proc(5)).  No process, nothing said.
tunnel_ticks() {
  local pid
  for pid in ${tunnel_pids[@]+"${tunnel_pids[@]}"}; do
    sed 's/.*) //' "/proc/$pid/stat"
  done | awk '{ ticks += $12 + $13 } END { if (NR) print ticks }'
}

# The larger of the two ends.
tunnel_rss() {
  local pid
  for pid in ${tunnel_pids[@]+"${tunnel_pids[@]}"}; do
    awk '$1 == "VmRSS:" { print $2 }' "/proc/$pid/status"
  done | sort -n | tail -n 1
}

# ping_times COUNT INTERVAL: round trips in microseconds, sorted.
ping_times() {
  in_guest g1 ping -n -c "$1" -i "$2" -W 1 "$peer" | sed -n 's/.* time=\([0-9.]*\) ms$/\1/p' |
    awk '{ print $1 * 1000 }' | sort -n
}

# percentile P <SORTED: by nearest rank.
percentile() { awk -v p="$1" '{ value[NR] = $1 } END { rank = int(NR * p / 100 + 0.999999); print value[rank] }'; }

listens() { in_guest g2 ss -ltn | grep -q :5201; }

# run_tcp STREAMS: iperf3's own report, in $tcp.
run_tcp() {
  in_guest g2 timeout $((seconds + 30)) iperf3 -s -1 >/dev/null 2>&1 3>&- &
  local server=$!
  wait_for 5 listens || die "iperf3 does not listen"
  tcp=$(in_guest g1 timeout $((seconds + 20)) iperf3 -J -c "$peer" -t "$seconds" -P "$1" 3>&-) ||
    die "$case: iperf3: $(jq -r '.error // "no answer"' <<<"$tcp")"
  wait $server || die "$case: iperf3 -s failed"
}
tcp_value() { jq -r ".end.$1" <<<"$tcp"; }

measure_idle_rtt() {
  local times
  times=$(ping_times 500 0.002)
  [ "$(wc -l <<<"$times")" -ge 450 ] || die "$case: more than a tenth of the pings are lost"
  put rtt_us_p50 "$(percentile 50 <<<"$times")"
  put rtt_us_p99 "$(percentile 99 <<<"$times")"
  say "$label: ping, idle: p50 $(percentile 50 <<<"$times") us, p99 $(percentile 99 <<<"$times") us"
}

measure_tcp1() {
  local before after gbps cost=
  before=$(tunnel_ticks)
  run_tcp 1
  after=$(tunnel_ticks)
  gbps=$(tcp_value 'sum_received.bits_per_second / 1e9')
  put tcp1_gbps "$gbps"
  put tcp1_retransmits "$(tcp_value sum_sent.retransmits)"
  if [ -n "$before" ]; then
    cost=$(awk -v ticks=$((after - before)) -v hz="$(getconf CLK_TCK)" -v octets="$(tcp_value sum_received.bytes)" \
      'BEGIN { printf "%.4f", ticks / hz / (octets / 1e9) }')
    put cpu_s_per_gb "$cost"
  fi
  say "$label: TCP, 1 stream: $(printf %.2f "$gbps") Gbit/s${cost:+, $cost CPU s/GB}"
}

# With 100 pings a second beside it.
measure_tcp8() {
  local gbps times
  ping_times $((seconds * 90)) 0.01 >"$dir/loaded" 3>&- &
  local pings=$!
  run_tcp 8
  gbps=$(tcp_value 'sum_received.bits_per_second / 1e9')
  wait $pings || die "$case: ping failed"
  times=$(cat "$dir/loaded")
  put tcp8_gbps "$gbps"
  if [ -n "$times" ]; then put rtt_loaded_us_p50 "$(percentile 50 <<<"$times")"; fi
  say "$label: TCP, 8 streams: $(printf %.2f "$gbps") Gbit/s; ping meanwhile: p50 $(percentile 50 <<<"$times") us"
}

# measure_udp LENGTH: of the IP packets.
measure_udp() {
  local rate lost said
  said=$("$IPOP_BENCH_TOOLS/udp-rate" "$prefix-g1" "$prefix-g2" "$peer" "$1" "$seconds") || die "$case: udp-rate failed"
  read -r rate lost <<<"$said"
  put "udp$1_pps" "$rate"
  put "udp$1_lost" "$lost"
  say "$label: UDP, packets of $1 octets: $rate a second, $lost of them lost"
}

measure_all() {
  local length
  measure_idle_rtt
  measure_tcp1
  measure_tcp8
  for length in 64 512 1400; do measure_udp $length; done
  if [ ${#tunnel_pids[@]} -gt 0 ]; then put rss_kb "$(tunnel_rss)"; fi
}
