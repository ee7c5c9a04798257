# The kernel that QEMU guests boot: Debian's cloud kernel, installed or merely unpacked.  To be sourced.
# shellcheck shell=bash

kernel_cache=/var/cache/ipop-lab/kernel

# Prints the root directory and the version of the newest cloud kernel here, or fails.
guest_kernel() {
  local base version found=
  for base in "" "$kernel_cache"; do
    for version in "$base"/boot/vmlinuz-*-cloud-amd64; do
      version=${version#*/vmlinuz-}
      [ ! -d "$base/lib/modules/$version" ] || found="$found$version"$'\n'
    done
    [ -z "$found" ] || { echo "${base:-/} $(sort -V <<<"$found" | tail -n 1)"; return 0; }
  done
  return 1
}

unpack_guest_kernel() {
  local package work
  package=$(apt-cache depends linux-image-cloud-amd64 | awk '$1 == "Depends:" { print $2; exit }')
  [ -n "$package" ] || die "no linux-image-cloud-amd64 among the packages of this machine"
  work=$(mktemp -d)
  (cd "$work" && apt-get -qq -o APT::Sandbox::User=root download "$package" && dpkg-deb -x "$package"_*.deb kernel)
  depmod -b "$work/kernel" "${package#linux-image-}"  # An installed kernel has this list of modules.
  mkdir -p "${kernel_cache%/*}"
  rm -rf "$kernel_cache"
  mv "$work/kernel" "$kernel_cache"  # Last, so that an interrupted run leaves no half a kernel.
  rm -rf "$work"
}
