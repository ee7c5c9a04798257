# Shared by every script: where things are, and how progress and failure are said.  To be sourced.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${IPOP_BUILD:-$root/build}
export IPOP_STARTED=${IPOP_STARTED:-$EPOCHREALTIME}  # Scripts that call scripts share one clock.

# Seconds since the outermost script started, with one decimal.
elapsed() {
  local us=$((${EPOCHREALTIME/[.,]/} - ${IPOP_STARTED/[.,]/}))
  printf '%d.%d' $((us / 1000000)) $((us / 100000 % 10))
}

say() { printf '[%6s s] %s\n' "$(elapsed)" "$*"; }

die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

need_root() { [ "$(id -u)" = 0 ] || die "needs root: it makes network namespaces and starts virtual machines"; }

# wait_for SECONDS COMMAND...: repeats the command until it succeeds.  Fails when the time is over.
wait_for() {
  local until=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "${EPOCHREALTIME/[.,]/}" -lt "$until" ] || return 1
    sleep 0.05
  done
}
