# The programs that a run needs beside the build: udp-rate, iperf3, and the overlays to compare with.  To be sourced.
# shellcheck shell=bash
#
# Other overlays are Debian's packages, unpacked below the build directory and not installed: this machine gets no
# new service, and they are gone with the build.

export IPOP_BENCH_TOOLS=$build/bench

# packages_of CASE: those that only this case needs.
packages_of() {
  case $1 in
    wireguard-go) echo wireguard-go wireguard-tools ;;
    fastd | tinc | n2n | nebula) echo "$1" ;;
  esac
}

program_of() {
  case $1 in
    tinc) echo tincd ;;
    n2n) echo supernode ;;
    *) echo "$1" ;;
  esac
}

# unpack_packages PACKAGE...: with what they depend on and is not installed.
unpack_packages() {
  local cache=$IPOP_BENCH_TOOLS/packages file
  mkdir -p "$cache/partial"
  apt-get -y --no-install-recommends --download-only -o APT::Sandbox::User=root -o "Dir::Cache::archives=$cache" \
    install "$@" >"$IPOP_BENCH_TOOLS/apt.log" 2>&1 || return 1
  for file in "$cache"/*.deb; do dpkg-deb -x "$file" "$IPOP_BENCH_TOOLS"; done
  rm -rf "$cache"
}

# prepare_tools CASE...
prepare_tools() {
  local program name libraries source=$root/scripts/bench.d/udp-rate.cc
  for program in iperf3 jq ethtool ping python3 c++; do
    command -v $program >/dev/null || die "$program is missing: run scripts/install-packages"
  done
  mkdir -p "$IPOP_BENCH_TOOLS"
  if [ "$source" -nt "$IPOP_BENCH_TOOLS/udp-rate" ]; then
    c++ -std=c++20 -O2 -pthread -o "$IPOP_BENCH_TOOLS/udp-rate" "$source"
  fi
  PATH=$IPOP_BENCH_TOOLS/usr/bin:$IPOP_BENCH_TOOLS/usr/sbin:$IPOP_BENCH_TOOLS/sbin:$PATH
  libraries=lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH)
  export LD_LIBRARY_PATH=$IPOP_BENCH_TOOLS/usr/$libraries:$IPOP_BENCH_TOOLS/$libraries
  for name in "$@"; do
    [ -n "$(packages_of "$name")" ] || continue
    ! command -v "$(program_of "$name")" >/dev/null || continue
    say "unpacking $(packages_of "$name")"
    # shellcheck disable=SC2046  # A list.
    unpack_packages $(packages_of "$name") || { apt-get update >/dev/null 2>&1 && unpack_packages $(packages_of "$name"); } ||
      die "apt-get: $(tail -n 3 "$IPOP_BENCH_TOOLS/apt.log")"
  done
}
