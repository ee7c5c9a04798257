# The underlay: one routed namespace, the internet, and a veth to each site.  To be sourced.
# shellcheck shell=bash

# The network of the N-th host's site, from the ranges kept for documentation and benchmarks (RFC 5737, RFC 2544).
site_prefix() {
  case $1 in
    hv1) echo 198.51.100 ;;
    hv2) echo 203.0.113 ;;
    hv3) echo 192.0.2 ;;
    *) echo "198.18.${1#hv}" ;;
  esac
}
site_address() { echo "$(site_prefix "$1").1"; }

in_internet() { ip netns exec "$(host_netns internet)" "$@"; }

make_internet() {
  ip netns add "$(host_netns internet)"
  in_internet ip link set lo up
  in_internet sysctl -qw net.ipv4.ip_forward=1
}

# Makes the host's network namespace with eth0, which leads to the internet.
make_site() {
  local host=$1 netns prefix
  netns=$(host_netns "$host") prefix=$(site_prefix "$host")
  ip netns add "$netns"
  # The switch has a copy of every frame of a guest's tap, so the kernel must not answer the frame a second time.
  ip netns exec "$netns" sysctl -qw net.ipv4.conf.{all,default}.arp_ignore=1 net.ipv6.conf.{all,default}.disable_ipv6=1
  ip link add eth0 netns "$netns" type veth peer name "$host" netns "$(host_netns internet)"
  in_internet ip address add "$prefix.254/24" dev "$host"
  in_internet ip link set "$host" up
  ip -n "$netns" address add "$prefix.1/24" dev eth0
  ip -n "$netns" link set eth0 up
  ip -n "$netns" route add default via "$prefix.254"
}
