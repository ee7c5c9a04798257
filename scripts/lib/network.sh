# The overlay network of the lab: its signing key and one invite for each host, by ipopctl.  To be sourced.
# shellcheck shell=bash

network_name=grid
network_subnet=10.128.0.0/16

make_network() {
  "$ipopctl" network create "$network_name" --subnet "$network_subnet" --dir "$lab/network" >"$lab/network.log"
}

make_invite() {
  local host=$1 file
  file=$(host_dir "$host")/root/etc/ipop/$host.ipop
  (
    umask 077
    "$ipopctl" host invite "$network_name" "$host" --introducer "$(site_address hv1):51128" --dir "$lab/network" >"$file"
  )
}
