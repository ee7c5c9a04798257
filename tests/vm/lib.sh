# What the VM tests share.  To be sourced.  Brings a lab up, unless scripts/test did so for all of them.
# shellcheck shell=bash
#
# The lab: vm1 (QEMU) on hv1; vm2 (QEMU) and uml1 (User-Mode Linux) on hv2.  A test leaves it as it was.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$root/scripts/lib/common.sh"
export IPOP_LAB=${IPOP_LAB:-ipop-test}
guests=(vm1 vm2 uml1)
hosts=(hv1 hv2)

lab() { "$root/scripts/lab" "$@"; }

if [ -z "${IPOP_LAB_SHARED:-}" ]; then
  trap 'lab down' EXIT
  lab up
fi

address_of() { lab guest "$1" "ip -4 -o address show dev eth0" | sed -n 's|.* inet \([0-9.]*\)/.*|\1|p'; }

# sum_of_peers HOST FIELD: adds a counter up over all peers of the host's port.
sum_of_peers() { lab exec "$1" ovs-appctl ipop/peers --json | jq "[.. | objects | .$2? // empty] | add // 0"; }

# expect_eq WHAT WANTED GOT
expect_eq() {
  [ "$2" = "$3" ] || die "$1: wanted \"$2\", got \"$3\""
  say "ok: $1: $3"
}
