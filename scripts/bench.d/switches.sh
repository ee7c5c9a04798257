# The cases that are a port of Open vSwitch: ipop with TSO, without it, and the switch's own VXLAN.  To be sourced.
# shellcheck shell=bash
#
# All three run the same ovs-vswitchd with datapath_type=netdev.

set_guest_mtu() {
  ip -n "$prefix-$1" link set "$2" mtu "$guest_mtu"
  ip -n "$prefix-$2" link set eth0 mtu "$guest_mtu"
}

# Without userspace TSO nobody in OVS 3.1 completes a guest's checksums or cuts its large frames: the guest has to.
make_guest_without_offloads() {
  make_guest "$1" "$2"
  in_guest "$2" ethtool -K eth0 tx off >/dev/null 2>&1
}

find_switches() {
  tunnel_pids=("$(vswitchd_pid h1)" "$(vswitchd_pid h2)")
}

connect_ipop() {
  local said
  make_network net 10.128.0.0/16
  make_invite net h2
  make_invite net h1 --introducer 198.51.100.2:51128
  for host in h1 h2; do
    said=$(add_ipop $host ipop0 "invite=$dir/net-$host.ipop")
    [ -z "$said" ] || die "$host: $said"
  done
  for host in h1 h2; do
    wait_for 20 is_connected $host ipop0 || die "$host does not connect"
  done
}

join_guests() {
  local host
  for host in 1 2; do
    wait_for 20 guest_dhcp g$host || die "g$host gets no address"
    set_guest_mtu h$host g$host
  done
  peer=$(guest_address g2)
}

set_up_ipop_tso() {
  tso=true make_host h1 1
  tso=true make_host h2 2
  connect_ipop
  make_guest h1 g1
  make_guest h2 g2
  join_guests
  find_switches
}

set_up_ipop() {
  tso=false make_host h1 1
  tso=false make_host h2 2
  connect_ipop
  make_guest_without_offloads h1 g1
  make_guest_without_offloads h2 g2
  join_guests
  find_switches
}

# The switch sends the outer packets itself, by a route through a bridge of its own that owns eth0.
# make_vxlan HOST NUMBER REMOTE-NUMBER
make_vxlan() {
  local host=$1
  tso=false make_host "$host" "$2"
  ip -n "$prefix-$host" address flush dev eth0
  vsctl "$host" add-br br-wire -- set bridge br-wire datapath_type=netdev fail_mode=standalone -- \
    add-port br-wire eth0
  ip -n "$prefix-$host" link set br-wire up
  ip -n "$prefix-$host" address add "198.51.100.$2/24" dev br-wire
  vsctl "$host" add-port br0 vxlan0 -- set interface vxlan0 type=vxlan options:key=1 \
    "options:remote_ip=198.51.100.$3"
}

set_up_ovs_vxlan() {
  local n
  make_vxlan h1 1 2
  make_vxlan h2 2 1
  for n in 1 2; do
    make_guest_without_offloads h$n g$n
    set_guest_mtu h$n g$n
    ip -n "$prefix-g$n" address add 10.128.0.$n/16 dev eth0
  done
  peer=10.128.0.2
  find_switches
}
