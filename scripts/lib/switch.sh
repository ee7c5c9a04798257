# A host's Open vSwitch: its own database and ovs-vswitchd-ipop, the bridge br-ipop and the port ipop0.  To be sourced.
# shellcheck shell=bash

start_switch() {
  local host=$1
  in_host "$host" ovsdb-tool create /etc/openvswitch/conf.db /usr/share/openvswitch/vswitch.ovsschema
  in_host "$host" ovsdb-server /etc/openvswitch/conf.db --remote=punix:/run/openvswitch/db.sock \
    -vconsole:off --pidfile --detach --log-file
  # TSO mode is read when the daemon starts, so it is set before.
  in_host "$host" ovs-vsctl --no-wait init -- set open_vswitch . other_config:userspace-tso-enable=true
  start_vswitchd "$host"
}

start_vswitchd() {
  in_host "$1" ovs-vswitchd -vconsole:off --pidfile --detach --log-file
}

# As after a power cut: no goodbye to anyone.
kill_vswitchd() {
  # shellcheck disable=SC2016  # The host's shell expands it.
  in_host "$1" sh -c 'kill -9 "$(cat /run/openvswitch/ovs-vswitchd.pid)"'
}

make_bridge() {
  local host=$1 error
  in_host "$host" ovs-vsctl --timeout=10 \
    -- add-br br-ipop -- set bridge br-ipop datapath_type=netdev fail_mode=standalone \
    -- add-port br-ipop ipop0 -- set interface ipop0 type=ipop "options:invite=/etc/ipop/$host.ipop"
  error=$(in_host "$host" ovs-vsctl --if-exists get interface ipop0 error)
  [ "$error" = "[]" ] || die "$host: port ipop0: $error"
}

# True while the host is connected to at least one other.
switch_is_connected() { [ "$(in_host "$1" ovs-vsctl get interface ipop0 link_state)" = up ]; }
