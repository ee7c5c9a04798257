# The cases without Open vSwitch: no tunnel at all, and encrypted overlays that Debian ships.  To be sourced.
# shellcheck shell=bash
#
# Each has the encryption that its package has by default, and is told peers, keys and MTU only.  An overlay that
# carries Ethernet frames of foreign addresses is bridged to the guest; others are routed to it.

# make_plain_host HOST NUMBER: as make_host makes it, but with nothing on it.
make_plain_host() {
  local host=$1 number=$2
  mkdir -p "$dir/$host"
  ip netns add "$prefix-$host"
  ip -n "$prefix-net" link add "h$number" type veth peer name eth0 netns "$prefix-$host"
  ip -n "$prefix-net" link set "h$number" master br0 up
  on "$host" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1 net.ipv4.ip_forward=1
  ip -n "$prefix-$host" link set lo up
  ip -n "$prefix-$host" link set eth0 up
  ip -n "$prefix-$host" address add "198.51.100.$number/24" dev eth0
}

# make_plain_guest HOST GUEST ADDRESS/LENGTH
make_plain_guest() {
  local host=$1 guest=$2
  ip netns add "$prefix-$guest"
  ip netns exec "$prefix-$guest" sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
  ip -n "$prefix-$host" link add "$guest" mtu "$guest_mtu" up type veth \
    peer name eth0 mtu "$guest_mtu" netns "$prefix-$guest"
  ip -n "$prefix-$guest" link set lo up
  ip -n "$prefix-$guest" link set eth0 up
  ip -n "$prefix-$guest" address add "$3" dev eth0
}

make_plain_hosts() {
  local n
  for n in 1 2; do make_plain_host h$n $n; done
}

# bridge_guests DEVICE: joins each host's device to its guest.
bridge_guests() {
  local n
  for n in 1 2; do
    make_plain_guest h$n g$n 10.128.0.$n/16
    ip -n "$prefix-h$n" link add br0 up type bridge forward_delay 0
    ip -n "$prefix-h$n" link set "$1" mtu "$guest_mtu" up
    ip -n "$prefix-h$n" link set "$1" master br0
    ip -n "$prefix-h$n" link set g$n master br0
  done
  peer=10.128.0.2
}

# route_guests DEVICE [via]: each guest in a subnet of its own, 10.128.N.0/24.  With `via`, the device carries Ethernet
# and the hosts are 10.129.0.N there.
route_guests() {
  local n other
  for n in 1 2; do
    other=$((3 - n))
    make_plain_guest h$n g$n 10.128.$n.2/24
    ip -n "$prefix-h$n" address add 10.128.$n.1/24 dev g$n
    ip -n "$prefix-g$n" route add default via 10.128.$n.1
    ip -n "$prefix-h$n" link set "$1" mtu "$guest_mtu" up
    ip -n "$prefix-h$n" route replace 10.128.$other.0/24 ${2:+via 10.129.0.$other} dev "$1"
  done
  peer=10.128.2.2
}

has_device() { ip -n "$prefix-$1" link show "$2"; }

# Process of that name on a host.
pids_of() {
  local pid
  for pid in $(ip netns pids "$prefix-$1"); do
    [ "$(cat "/proc/$pid/comm")" != "$2" ] || echo "$pid"
  done
}

# start HOST COMMAND...: in the background, with a log of its own.
start() {
  on "$1" "${@:2}" >>"$dir/$1/log" 2>&1 3>&- &
}

# await_tunnels PROGRAM DEVICE: on both hosts.
await_tunnels() {
  local host
  for host in h1 h2; do
    wait_for 10 has_device $host "$2" || {
      tail -n 20 "$dir/$host/log" >&2
      die "$case: $1 makes no $2 on $host"
    }
  done
  mapfile -t tunnel_pids < <(pids_of h1 "$1"; pids_of h2 "$1")
  [ ${#tunnel_pids[@]} = 2 ] || die "$case: ${#tunnel_pids[@]} processes $1, not 2"
}

# The limit of the topology: the guests' frames, whole, through the kernel's bridges.
set_up_none() {
  make_plain_hosts
  bridge_guests eth0
  ip -n "$prefix-h1" link set eth0 mtu 1500
  ip -n "$prefix-h2" link set eth0 mtu 1500
}

# wg(8) speaks to it by a socket in /run/wireguard, which is private here: no run leaves anything there.
# shellcheck disable=SC2016  # For the shell that is called.
set_up_wireguard_go() {
  local n other
  make_plain_hosts
  for n in 1 2; do
    (umask 077 && wg genkey >"$dir/h$n/key")
    wg pubkey <"$dir/h$n/key" >"$dir/h$n/public"
    start h$n unshare --mount sh -c 'mount -t tmpfs none /run && exec wireguard-go --foreground wg0'
  done
  await_tunnels wireguard-go wg0
  for n in 1 2; do
    other=$((3 - n))
    wait_for 10 on_tunnel $n test -S /run/wireguard/wg0.sock || die "$case: wireguard-go does not listen"
    on_tunnel $n wg set wg0 listen-port 51820 private-key "$dir/h$n/key" peer "$(cat "$dir/h$other/public")" \
      endpoint 198.51.100.$other:51820 allowed-ips 10.128.$other.0/24
  done
  route_guests wg0
}

# on_tunnel N COMMAND...: in the namespaces of the N-th host's tunnel.
on_tunnel() { nsenter --target "${tunnel_pids[$1 - 1]}" --mount --net "${@:2}"; }

# fastd has no default method.  salsa2012+umac, aes128-ctr+umac and aes128-gcm are the same within the noise.
set_up_fastd() {
  local n other
  make_plain_hosts
  for n in 1 2; do fastd --generate-key --machine-readable 2>/dev/null >"$dir/h$n/secret"; done
  for n in 1 2; do
    other=$((3 - n))
    printf 'secret "%s";\n' "$(cat "$dir/h$other/secret")" >"$dir/h$other/key"
    cat >"$dir/h$n/fastd.conf" <<CONF
mode tap;
interface "tap0";
method "salsa2012+umac";
mtu $guest_mtu;
bind 198.51.100.$n:10000;
secret "$(cat "$dir/h$n/secret")";
peer "h$other" {
  key "$(fastd --config "$dir/h$other/key" --show-key --machine-readable 2>/dev/null)";
  remote 198.51.100.$other:10000;
}
CONF
    start h$n fastd --config "$dir/h$n/fastd.conf"
  done
  await_tunnels fastd tap0
  bridge_guests tap0
}

# Until tinc knows how much the path carries, it sends full packets over TCP.
set_up_tinc() {
  local n
  make_plain_hosts
  mkdir -p "$dir/tinc-hosts"
  for n in 1 2; do
    mkdir -p "$dir/h$n/tinc"
    ln -s "$dir/tinc-hosts" "$dir/h$n/tinc/hosts"
    printf '%s\n' "Name = h$n" "ConnectTo = h$((3 - n))" "Mode = switch" "DeviceType = tap" "Interface = tap0" \
      >"$dir/h$n/tinc/tinc.conf"
    echo "Address = 198.51.100.$n" >"$dir/tinc-hosts/h$n"
    tincd --config="$dir/h$n/tinc" --generate-keys=2048 </dev/null >>"$dir/h$n/log" 2>&1 ||
      die "$case: $(tail -n 3 "$dir/h$n/log")"
  done
  for n in 1 2; do
    start h$n tincd --config="$dir/h$n/tinc" --no-detach --pidfile="$dir/h$n/tinc.pid" --debug=2
  done
  await_tunnels tincd tap0
  bridge_guests tap0
  wait_for 30 can_ping g1 "$peer" || die "$case: g1 does not reach g2"
  for n in 1 2; do
    wait_for 30 tinc_knows_mtu $n || die "$case: the MTU of the path stays unknown"
  done
}

# tinc_knows_mtu N: at SIGUSR2 it writes what it knows of the others into its log (tincd(8)).
tinc_knows_mtu() {
  kill -USR2 "${tunnel_pids[$1 - 1]}"
  grep -Eq "h$((3 - $1)) .* pmtu ([0-9]+) [(]min \\1 max \\1[)]" "$dir/h$1/log"
}

# An edge sends frames to the owner of a MAC address only, so guests are routed.  The supernode is on the wire.
set_up_n2n() {
  local n
  make_plain_hosts
  ip -n "$prefix-net" address add 198.51.100.254/24 dev br0
  mkdir -p "$dir/net"
  start net supernode -l 7654
  for n in 1 2; do
    start h$n edge -f -d tap0 -a 10.129.0.$n -s 255.255.255.0 -c bench -k "$prefix" -l 198.51.100.254:7654 \
      -M "$guest_mtu" -r
  done
  await_tunnels edge tap0
  route_guests tap0 via
}

set_up_nebula() {
  local n other
  make_plain_hosts
  (cd "$dir" && nebula-cert ca -name bench)
  for n in 1 2; do
    other=$((3 - n))
    (cd "$dir" && nebula-cert sign -name h$n -ip 10.129.0.$n/24 -subnets 10.128.$n.0/24)
    cat >"$dir/h$n/nebula.yml" <<CONF
pki: { ca: $dir/ca.crt, cert: $dir/h$n.crt, key: $dir/h$n.key }
static_host_map: { "10.129.0.$other": ["198.51.100.$other:4242"] }
lighthouse: { am_lighthouse: false }
listen: { host: 198.51.100.$n, port: 4242 }
tun:
  dev: neb0
  mtu: $guest_mtu
  tx_queue: 1000
  unsafe_routes: [{ route: 10.128.$other.0/24, via: 10.129.0.$other, mtu: $guest_mtu }]
firewall:
  outbound: [{ port: any, proto: any, host: any }]
  inbound: [{ port: any, proto: any, host: any }]
CONF
    start h$n nebula -config "$dir/h$n/nebula.yml"
  done
  await_tunnels nebula neb0
  route_guests neb0
}
