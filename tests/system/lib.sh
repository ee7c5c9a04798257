# What the system tests share: hosts with an Open vSwitch of their own, guests, and checks.  To be sourced.
# shellcheck shell=bash
#
# All that a test makes on this machine begins with its own prefix, $prefix: its- and digits that its name gives.
# With NAME for that:
#
#   NAME-net      network namespace with the bridge that joins the hosts: 198.51.100.0/24
#   NAME-HOST     network namespace of a host; eth0 is on the bridge
#   NAME-NODE     network namespace of an ipop-node, likewise
#   NAME-GUEST    network namespace of a guest; eth0 leads to a port of its host's br0
#   $dir/HOST     the host's database, sockets, logs and state; likewise $dir/NODE
#
# What an earlier run left behind, because it was killed, is removed first.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=../../scripts/lib/common.sh
. "$root/scripts/lib/common.sh"
build=$(cd "$build" && pwd) || die "no build in $build"
vswitchd=$build/ovs-plugin/ovs-vswitchd-ipop
ipopctl=$build/overlay/tools/ipopctl
ipop_node=$build/overlay/tools/ipop-node
# shellcheck disable=SC2034  # For those who source this.
flood=$build/tests/system/flood
# shellcheck disable=SC2034
dhcp_guests=$root/tests/system/dhcp-guests
delay=$build/tests/system/delay
test_name=${0##*/test-}
prefix=its-$(cksum <<<"$test_name" | cut -c 1-4)  # Short: names of devices begin with it.
dir=/tmp/ipop-system-$prefix
need_root

clean_up() {
  local namespace pid
  for namespace in $(ip netns list | awk '{ print $1 }' | grep "^$prefix-" || true); do
    for pid in $(ip netns pids "$namespace"); do kill -9 "$pid" 2>/dev/null || true; done
    ip netns del "$namespace"
  done
  rm -rf "$dir"
}

# The logs of a test that failed are in its output: nothing else is left of it.
finish() {
  local status=$? log
  trap - EXIT
  trap '' INT TERM
  if [ $status != 0 ]; then
    for log in "$dir"/*/ovs-vswitchd.log; do
      [ -e "$log" ] || continue
      echo "--- the end of ${log#"$dir/"}:"
      grep -E '[|](netdev_ipop|ipop_engine|bridge)[|]|[|](WARN|ERR|EMER)[|]' "$log" | tail -n 40 || true
    done
  fi
  clean_up
  exit $status
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

[ -x "$vswitchd" ] || die "$vswitchd is missing: build first"
clean_up
mkdir -p "$dir"
ip netns add "$prefix-net"
ip -n "$prefix-net" link add br0 up type bridge forward_delay 0

# expect WHAT COMMAND...: the command succeeds.
expect() {
  local what=$1
  shift
  "$@" || die "not so: $what"
  say "ok: $what"
}

# expect_soon SECONDS WHAT COMMAND...: the command succeeds before long.
expect_soon() {
  local seconds=$1 what=$2
  shift 2
  wait_for "$seconds" "$@" || die "not so after $seconds s: $what"
  say "ok: $what"
}

# expect_words WHAT TEXT WORD...: each word, or phrase, is in the text, in any case.
expect_words() {
  local what=$1 text=$2 word
  shift 2
  for word in "$@"; do
    grep -qiF -e "$word" <<<"$text" || die "$what: \"$word\" is not in: $text"
  done
  say "ok: $what: $text"
}

# expect_eq WHAT WANTED GOT
expect_eq() {
  [ "$2" = "$3" ] || die "$1: wanted \"$2\", got \"$3\""
  say "ok: $1: $3"
}

# Hosts.

# A command in a host.  The variables make the programs of Open vSwitch keep to the host's own directory.
on() {
  local host=$1
  shift
  OVS_RUNDIR=$dir/$host OVS_LOGDIR=$dir/$host OVS_DBDIR=$dir/$host ip netns exec "$prefix-$host" "$@"
}
vsctl() { on "$1" ovs-vsctl --timeout=10 "${@:2}"; }
appctl() { on "$1" ovs-appctl --timeout=10 "${@:2}"; }

# make_site HOST NUMBER: a network namespace at 198.51.100.NUMBER.
make_site() {
  local host=$1 number=$2
  ip netns add "$prefix-$host"
  ip -n "$prefix-net" link add "h$number" type veth peer name eth0 netns "$prefix-$host"
  ip -n "$prefix-net" link set "h$number" master br0 up
  on "$host" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n "$prefix-$host" link set lo up
  ip -n "$prefix-$host" link set eth0 up
  ip -n "$prefix-$host" address add "198.51.100.$number/24" dev eth0
}

# delay_sites MILLISECONDS: all that goes from one of the sites that there are to another takes so long, each way.
delay_sites() {
  local device devices=() site
  for site in $(ip netns list | awk '{ print $1 }' | grep "^$prefix-"); do
    [ "$site" = "$prefix-net" ] || ip netns exec "$site" ethtool -K eth0 tx-udp-segmentation off  # See delay.cc.
  done
  for device in $(ip -n "$prefix-net" -o link show master br0 | sed 's/^[0-9]*: \([^@:]*\).*/\1/'); do
    ip -n "$prefix-net" link set "$device" nomaster
    devices+=("$device")
  done
  ip netns exec "$prefix-net" "$delay" "$1" "${devices[@]}" &
  disown
}

# make_host HOST NUMBER: at 198.51.100.NUMBER, with a bridge br0 in TSO mode, and what ${switch_config[@]} has besides.
switch_config=()
make_host() {
  local host=$1
  mkdir -p "$dir/$host/state"
  ln -s "$vswitchd" "$dir/$host/ovs-vswitchd"  # As installed: pidfile, socket and log are called after it.
  make_site "$host" "$2"
  on "$host" ovsdb-tool create "$dir/$host/conf.db" /usr/share/openvswitch/vswitch.ovsschema
  on "$host" ovsdb-server "$dir/$host/conf.db" --remote="punix:$dir/$host/db.sock" \
    -vconsole:off --pidfile --detach --log-file
  on "$host" ovs-vsctl --no-wait init -- set open_vswitch . "other_config:userspace-tso-enable=${tso:-true}" \
    "${switch_config[@]/#/other_config:}"
  start_vswitchd "$host"
  vsctl "$host" add-br br0 -- set bridge br0 datapath_type=netdev fail_mode=standalone
}

start_vswitchd() {
  on "$1" "$dir/$1/ovs-vswitchd" -vconsole:off --pidfile --detach --log-file
}

vswitchd_pid() { cat "$dir/$1/ovs-vswitchd.pid"; }
is_same_switch() { [ "$(vswitchd_pid "$1")" = "$2" ] && kill -0 "$2"; }
is_gone() { ! kill -0 "$1" 2>/dev/null; }

# stop_vswitchd HOST: as `ovs-ctl stop` does it.
stop_vswitchd() {
  local pid
  pid=$(vswitchd_pid "$1")
  appctl "$1" exit
  wait_for 10 is_gone "$pid" || die "$1: ovs-vswitchd does not end"
}

# kill_vswitchd HOST: as after a power cut.
kill_vswitchd() {
  local pid
  pid=$(vswitchd_pid "$1")
  kill -9 "$pid"
  wait_for 10 is_gone "$pid" || die "$1: ovs-vswitchd does not end"
}

# What a host's switch has allocated, in kB.  What of it is resident would not do: a kernel that makes huge pages of
# others adds megabytes when it likes.
vswitchd_memory() { awk '$1 == "VmData:" { print $2 }' "/proc/$(vswitchd_pid "$1")/status"; }

# add_ipop HOST PORT [OPTION=VALUE...]: says what ovs-vsctl says.  The state is kept in the host's directory.
add_ipop() {
  local host=$1 port=$2
  shift 2
  vsctl "$host" add-port br0 "$port" -- set interface "$port" type=ipop \
    "options:state_dir=$dir/$host/state" "${@/#/options:}" 2>&1
}

# column HOST PORT COLUMN[:KEY]: without the quotes.
column() { vsctl "$1" --if-exists get interface "$2" "$3" | sed 's/^"\(.*\)"$/\1/; s/\\\(.\)/\1/g'; }
is_connected() { [ "$(column "$1" "$2" link_state)" = up ]; }

# statistic HOST PORT NAME: 0 if there is none.
statistic() {
  local value
  value=$(vsctl "$1" --if-exists get interface "$2" "statistics:$3" 2>/dev/null) || true
  echo "${value:-0}"
}

# Nodes without a switch.

# make_node NETWORK NODE NUMBER: at 198.51.100.NUMBER; its invite is there already.
make_node() {
  local network=$1 node=$2
  mkdir -p "$dir/$node"
  make_site "$node" "$3"
  ip netns exec "$prefix-$node" "$ipop_node" --invite "$dir/$network-$node.ipop" --state-dir "$dir/$node" \
    --control "$dir/$node/control" 2>"$dir/$node/log" &
  echo $! >"$dir/$node/pid"
  disown  # Bash says nothing when it is killed.
}

# ask_node NODE VIEW [TARGET] [--json]
ask_node() { "$ipopctl" node "$dir/$1/control" "${@:2}"; }

# kill_nodes NODE...: all at once, as after a power cut.
kill_nodes() {
  local node pids=()
  for node in "$@"; do pids+=("$(cat "$dir/$node/pid")"); done
  kill -9 "${pids[@]}"
}

# Networks.

make_network() { "$ipopctl" network create "$1" --subnet "$2" --dir "$dir/networks" >/dev/null; }

# make_invite NETWORK HOST [OPTION...]: into $dir/NETWORK-HOST.ipop.
make_invite() {
  "$ipopctl" host invite "$1" "$2" --dir "$dir/networks" "${@:3}" >"$dir/$1-$2.ipop"
}

# Guests.

# make_guest HOST GUEST: a stranger to all of this, with the offloads that Linux gives a device by default.
make_guest() {
  local host=$1 guest=$2
  ip netns add "$prefix-$guest"
  ip netns exec "$prefix-$guest" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n "$prefix-$guest" link set lo up
  ip -n "$prefix-$host" link add "$guest" up type veth peer name eth0 netns "$prefix-$guest"
  ip -n "$prefix-$guest" link set eth0 up
  vsctl "$host" add-port br0 "$guest"
}

# start_ipv6 GUEST: as a machine does that has just started.  It makes its addresses by itself.
start_ipv6() { in_guest "$1" sysctl -qw net.ipv6.conf.eth0.disable_ipv6=0; }
# guest_ipv6 GUEST: the one that it has made from the network's prefix, once it may use it.
guest_ipv6() {
  ip -n "$prefix-$1" -6 -o address show dev eth0 scope global -tentative | sed -n 's|.* inet6 \(f[0-9a-f:]*\)/64.*|\1|p'
}
has_ipv6() { [ -n "$(guest_ipv6 "$1")" ]; }

# A command in a guest.
in_guest() { ip netns exec "$prefix-$1" "${@:2}"; }

# guest_dhcp GUEST [OPTION...]: becomes a member as any machine does, by udhcpc with these options.  The answer is kept
# in $dir/GUEST.dhcp.
guest_dhcp() {
  local guest=$1
  cat >"$dir/udhcpc-script" <<'SCRIPT'
#!/bin/sh
[ "$1" = bound ] || exit 0
ip address replace "$ip/$mask" dev "$interface"
[ -z "$mtu" ] || ip link set "$interface" mtu "$mtu"
env | sort >"$LEASE"
SCRIPT
  chmod +x "$dir/udhcpc-script"
  LEASE=$dir/$guest.dhcp in_guest "$guest" busybox udhcpc -i eth0 -f -q -n -t 20 -T 1 -O mtu -O search \
    -x "hostname:$guest" -s "$dir/udhcpc-script" "${@:2}" >/dev/null 2>&1
}
dhcp_value() { sed -n "s/^$2=//p" "$dir/$1.dhcp"; }
guest_address() { ip -n "$prefix-$1" -4 -o address show dev eth0 | sed -n 's|.* inet \([0-9.]*\)/.*|\1|p'; }
can_ping() { in_guest "$1" ping -q -c 1 -W 1 "$2" >/dev/null; }

# Captures.

# capture NAMESPACE DEVICE FILE: all that passes, until stop_capture FILE.
capture() {
  ip netns exec "$prefix-$1" tcpdump -i "$2" -n -U --immediate-mode -Z root -w "$3" 2>"$3.log" &
  echo $! >"$3.pid"
  disown
  wait_for 10 grep -q "listening on" "$3.log" || die "tcpdump does not start: $(cat "$3.log")"
}
stop_capture() {
  local pid
  pid=$(cat "$1.pid")
  kill "$pid"
  wait_for 10 is_gone "$pid" || die "tcpdump does not end"
}
