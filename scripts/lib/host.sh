# Hypervisor hosts: each is a network, mount, pid, uts and ipc namespace of its own.  To be sourced.
# shellcheck shell=bash
#
# Everything of a host lives in its network namespace, so the processes found there are the host's, and ending them
# needs no pid file.  That is what makes cleaning up after a killed run certain.

host_dir() { echo "$lab/hosts/$1"; }
host_netns() { echo "${IPOP_LAB}-$1"; }
host_names() { [ ! -d "$lab/hosts" ] || ls -v "$lab/hosts"; }

# What a host has for itself.
private_dirs=(/etc/libvirt /var/lib/libvirt /var/log/libvirt /var/cache/libvirt
  /etc/openvswitch /var/lib/openvswitch /var/log/openvswitch /etc/ipop /var/lib/ipop)

# Mount points that this machine lacks are made, and noted for their removal.
make_mount_points() {
  local private
  for private in "${private_dirs[@]}"; do
    [ -d "$private" ] || { mkdir "$private" && echo "$private" >>"$lab/made"; }
  done
}

remove_mount_points() {
  local private
  [ -e "$lab/made" ] || return 0
  while read -r private; do rmdir "$private" 2>/dev/null || true; done <"$lab/made"
}

# Makes the directories a host mounts over the machine's.
prepare_host_files() {
  local host=$1 dir file
  dir=$(host_dir "$host")
  mkdir -p "$dir"/{run,log,bin} "${private_dirs[@]/#/"$dir/root"}" "$dir"/root/etc/libvirt/{qemu,hooks/qemu.d}
  for file in libvirt.conf nwfilter; do
    [ ! -e "/etc/libvirt/$file" ] || cp -r "/etc/libvirt/$file" "$dir/root/etc/libvirt/"
  done
  name_uuid "$host" | tr -d - >"$dir/root/etc/machine-id"
  { echo "127.0.0.1 localhost"; for file in "${hosts[@]}"; do echo "$(site_address "$file") $file"; done; } \
    >"$dir/root/etc/hosts"
  # libvirtd wants its unprivileged user to exist, even where it is told to run guests as root.
  cp /etc/passwd /etc/group "$dir/root/etc/"
  grep -q ^libvirt-qemu: /etc/passwd || echo "libvirt-qemu:x:64055:64055::/:/usr/sbin/nologin" >>"$dir/root/etc/passwd"
  grep -q ^libvirt-qemu: /etc/group || echo "libvirt-qemu:x:64055:" >>"$dir/root/etc/group"
  ln -sfn "$vswitchd" "$dir/bin/ovs-vswitchd"  # The name by which ovs-appctl and the pid file know it.
  ln -sfn "$ipopctl" "$dir/bin/ipopctl"
}

start_host() {
  local host=$1 dir
  dir=$(host_dir "$host")
  prepare_host_files "$host"
  setsid nsenter --net="/run/netns/$(host_netns "$host")" \
    unshare --mount --pid --uts --ipc --fork "$root/scripts/lib/host-init" "$host" "$dir" "${private_dirs[@]}" \
    </dev/null >"$dir/log/init" 2>&1 &
  wait_for 5 test -e "$dir/pid" || die "host $host did not start: $(cat "$dir/log/init")"
}

# in_host HOST COMMAND...: runs it as a process of the host.
in_host() {
  local host=$1 dir pid
  shift
  dir=$(host_dir "$host")
  pid=$(cat "$dir/pid" 2>/dev/null) || die "no host $host here; scripts/lab status shows what there is"
  nsenter -t "$pid" -m -n -p -u -i --root -- env -i "PATH=$dir/bin:/usr/sbin:/usr/bin:/sbin:/bin" HOME=/root \
    "TERM=${TERM:-dumb}" LC_ALL=C.UTF-8 "$@"
}

# Ends every process in a network namespace of the lab, then removes the namespace.
remove_netns() {
  local netns=$1 pids
  for _ in 1 2 3 4 5; do
    pids=$(ip netns pids "$netns" 2>/dev/null) || pids=
    [ -n "$pids" ] || break
    # shellcheck disable=SC2086  # A list of numbers.
    kill -9 $pids 2>/dev/null || true
    sleep 0.05  # The kernel needs a moment to take a pid namespace down.
  done
  ip netns del "$netns" 2>/dev/null || true
}

lab_netns_names() { ip netns list 2>/dev/null | awk '{ print $1 }' | grep -xE "$IPOP_LAB-(hv[0-9]+|internet)" || true; }
