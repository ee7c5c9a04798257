# A host's libvirtd, with settings that let it live in a namespace without systemd, cgroups or virtlogd.  To be sourced.
# shellcheck shell=bash

write_libvirt_config() {
  local host=$1 etc
  etc=$(host_dir "$host")/root/etc/libvirt
  cat >"$etc/libvirtd.conf" <<END
host_uuid = "$(name_uuid "$host")"
listen_tls = 0
listen_tcp = 1
auth_tcp = "none"
auth_unix_rw = "none"
auth_unix_ro = "none"
log_filters = "1:util.hook"
log_outputs = "2:file:/var/log/libvirt/libvirtd.log"
END
  cat >"$etc/qemu.conf" <<END
stdio_handler = "file"
cgroup_controllers = []
security_driver = "none"
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
namespaces = []
migration_address = "0.0.0.0"
END
  # Copied, not linked: libvirt calls every executable file of qemu.d in this host's private directory.
  if [ -n "$hook" ]; then install -m 755 "$hook" "$etc/hooks/qemu.d/50-ipop"; fi
}

# With --listen the daemon takes migrations from the other hosts.
start_libvirtd() {
  write_libvirt_config "$1"
  in_host "$1" libvirtd -d -l -f /etc/libvirt/libvirtd.conf
  wait_for 15 in_host "$1" virsh version || die "$1: libvirtd does not answer; see $(host_dir "$1")/root/var/log/libvirt"
}
