# Guests: QEMU machines that the host's libvirtd runs, and User-Mode Linux on a tap.  To be sourced.
# shellcheck shell=bash
#
# A guest is written HOST:NAME[:KIND].  KIND is
#   qemu       (default) NIC by <virtualport type='openvswitch'/>: libvirt itself plugs it into br-ipop;
#   ethernet   NIC by <interface type='ethernet'>: the hook plugs it in, because the domain's metadata names the bridge;
#   uml        User-Mode Linux on a tap, plugged in here the way libvirt would have.

guest_dir() { echo "$lab/guests/$1"; }
guest_names() { [ ! -d "$lab/guests" ] || ls -v "$lab/guests"; }
guest_host() { cat "$(guest_dir "$1")/host" 2>/dev/null || die "no guest $1 here; scripts/lab status shows what there is"; }
guest_kind() { cat "$(guest_dir "$1")/kind"; }
guest_mac() { cat "$(guest_dir "$1")/mac"; }

# The tap that carries the guest's NIC, as the switch knows it by the MAC that libvirt (or we) wrote.
guest_tap() {
  in_host "$(guest_host "$1")" ovs-vsctl --bare --columns=name find interface \
    "external_ids:attached-mac=\"$(guest_mac "$1")\""
}

# True where QEMU under KVM really boots a kernel: /dev/kvm alone promises nothing.
kvm_works() {
  grep -qE '^flags.* (vmx|svm)( |$)' /proc/cpuinfo && [ -w /dev/kvm ] || return 1
  timeout 5 qemu-system-x86_64 -accel kvm -m 128 -display none -monitor none -no-reboot -serial stdio \
    -kernel "$lab/image/vmlinuz" -append "console=ttyS0 panic=-1" </dev/null 2>&1 | grep -q 'Linux version'
}

domain_xml() {
  local name=$1 kind=$2 mac=$3 dir type nic metadata=
  dir=$(guest_dir "$name") type=$(cat "$lab/image/domain-type")
  case $kind in
    qemu) nic="<interface type='bridge'><source bridge='br-ipop'/><virtualport type='openvswitch'/>" ;;
    ethernet)
      nic="<interface type='ethernet'>"
      metadata="<metadata><ipop:attach xmlns:ipop='urn:ipop:domain:1' bridge='br-ipop'/></metadata>"
      ;;
  esac
  cat <<END
<domain type='$type'>
  <name>$name</name>
  <uuid>$(name_uuid "$name")</uuid>
  $metadata
  <memory unit='MiB'>128</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='pc'>hvm</type>
    <kernel>$lab/image/vmlinuz</kernel>
    <initrd>$lab/image/guest.cpio.gz</initrd>
    <cmdline>console=ttyS0 quiet panic=-1 no_timer_check vm.name=$name vm.agent=ttyS1</cmdline>
  </os>
  <features><acpi/></features>
  <on_reboot>restart</on_reboot>
  <devices>
    $nic<mac address='$mac'/><model type='virtio'/></interface>
    <serial type='file'><source path='$dir/console'/><target port='0'/></serial>
    <serial type='unix'><source mode='bind' path='$dir/agent'/><target port='1'/></serial>
    <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>
    <memballoon model='none'/>
  </devices>
</domain>
END
}

start_qemu_guest() {
  local host=$1 name=$2
  domain_xml "$name" "$3" "$(guest_mac "$name")" >"$(guest_dir "$name")/domain.xml"
  in_host "$host" virsh -q define "$(guest_dir "$name")/domain.xml" >/dev/null
  in_host "$host" virsh -q start "$name" >/dev/null
}

# Without randomised addresses: it takes what lies between the program and its heap, up to 1 GB, for memory, and cannot
# fork where that is more than some 1040 MB.
start_uml_guest() {
  local host=$1 name=$2 dir mac tap
  dir=$(guest_dir "$name") mac=$(guest_mac "$name") tap=tap-$name
  in_host "$host" ip tuntap add dev "$tap" mode tap
  in_host "$host" ip link set "$tap" up
  in_host "$host" ovs-vsctl --timeout=10 -- --may-exist add-port br-ipop "$tap" \
    -- set interface "$tap" "external_ids:attached-mac=\"$mac\"" "external_ids:iface-id=$(name_uuid "$name-nic")" \
    "external_ids:vm-id=$(name_uuid "$name")" external_ids:iface-status=active
  mkfifo "$dir/agent.in" "$dir/agent.out"
  # shellcheck disable=SC2016  # The inner shell expands these.
  setsid nsenter -t "$(cat "$(host_dir "$host")/pid")" -m -n -p -u -i --root -- env -i PATH=/usr/bin:/bin HOME=/root \
    TMPDIR=/dev/shm "LD_PRELOAD=$build/tests/system/uml-xstate.so" sh -c 'exec 3<>"$1/agent.in" 4<>"$1/agent.out"; shift; exec "$@"' sh "$dir" \
    setarch -R linux.uml mem=96M "umid=$name" uml_dir=/run/uml/ "initrd=$lab/image/guest.cpio.gz" \
    con=null con0=null,fd:1 con1=null ssl=null ssl0=fd:3,fd:4 "eth0=tuntap,$tap,$mac" \
    "vm.name=$name" vm.agent=ttyS0 quiet </dev/null >"$dir/console" 2>&1 &
}

# start_guest HOST NAME KIND: returns once it runs; guest_has_lease tells when it has an address.
start_guest() {
  local host=$1 name=$2 kind=$3 dir digest
  dir=$(guest_dir "$name")
  [[ $name =~ ^[a-z][a-z0-9]{0,10}$ ]] || die "a guest's name is up to 11 small letters and digits, not $name"
  [[ $kind =~ ^(qemu|ethernet|uml)$ ]] || die "guest kind $kind is unknown: use qemu, ethernet or uml"
  in_host "$host" true
  [ ! -e "$dir" ] || die "there is a guest $name already"
  mkdir -p "$dir"
  digest=$(name_uuid "$name")
  echo "52:54:00:${digest:0:2}:${digest:2:2}:${digest:4:2}" >"$dir/mac"
  echo "$host" >"$dir/host"
  echo "$kind" >"$dir/kind"
  case $kind in
    qemu | ethernet) start_qemu_guest "$host" "$name" "$kind" ;;
    uml) start_uml_guest "$host" "$name" ;;
  esac
}

stop_guest() {
  local name=$1 host tap
  host=$(guest_host "$name")
  if [ "$(guest_kind "$name")" = uml ]; then
    tap=tap-$name
    # shellcheck disable=SC2016
    in_host "$host" sh -c 'kill -9 "$(cat "/run/uml/$1/pid")"' sh "$name" || true
    in_host "$host" ovs-vsctl --if-exists del-port "$tap"
    in_host "$host" ip link del "$tap"
  else
    in_host "$host" virsh -q destroy "$name" >/dev/null 2>&1 || true  # It may have ended by itself.
    in_host "$host" virsh -q undefine "$name" >/dev/null
  fi
  rm -rf "$(guest_dir "$name")"
}

# in_guest NAME SHELL-WORDS...: as with ssh, the words are joined and a shell in the guest reads them.
# They travel over the guest's second serial line, so no network is needed.  Output and exit status are the command's;
# it is ended after $GUEST_TIMEOUT seconds (60).  A command left in the background must give up its output.
in_guest() {
  local name=$1 dir
  shift
  dir=$(guest_dir "$name")
  guest_host "$name" >/dev/null
  (
    flock 9
    if [ "$(guest_kind "$name")" = uml ]; then
      exec 3<>"$dir/agent.out" 4<>"$dir/agent.in"
    else
      coproc LINE { exec socat - "UNIX-CONNECT:$dir/agent" 2>/dev/null; }
      exec 3<&"${LINE[0]}" 4>&"${LINE[1]}"
    fi
    ask_agent "$*"
  ) 9>"$dir/lock"
}

ask_agent() {
  local token=$RANDOM$RANDOM$RANDOM seconds=${GUEST_TIMEOUT:-60} line begun=
  echo "$token $seconds $(printf '%s' "$1" | base64 -w 0)" >&4 || return 255
  while IFS= read -r -t $((seconds + 10)) line <&3; do
    case $line in
      *"##BEGIN $token") begun=yes ;;
      *"##END $token "*)
        [ -z "${line%%"##END $token "*}" ] || printf '%s\n' "${line%%"##END $token "*}"
        return "${line##* }"
        ;;
      *) [ -z "$begun" ] || printf '%s\n' "$line" ;;
    esac
  done
  echo "the guest does not answer" >&2
  return 255
}

guest_has_lease() { grep -aq '^DHCP-bound' "$(guest_dir "$1")/console"; }
guest_address() { in_guest "$1" "ip -4 -o address show scope global" | sed -n 's|.* inet \([0-9.]*\)/.*|\1|p'; }
