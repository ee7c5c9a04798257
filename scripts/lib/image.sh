# The guests' initramfs: busybox, iperf3 and the modules of a virtio machine; about 5 MB, made in half a second.
# To be sourced after kernel.sh.
# shellcheck shell=bash

# Copies a program into the tree, with the libraries it names.
copy_program() {
  local tree=$1 program=$2 library
  install -D "$program" "$tree/usr/bin/${program##*/}"
  while read -r library; do
    [ -e "$tree$library" ] || install -D "$library" "$tree$library"
  done < <(ldd "$program" | grep -o '/[^ ]*')
}

make_guest_image() {
  local out=$1 base version tree applet module n=10
  read -r base version < <(guest_kernel) || die "no cloud kernel for the guests: run scripts/install-packages"
  tree=${out%/*}/tree
  mkdir -p "$tree"/{bin,dev,etc,proc,run,sys,tmp,usr/bin,www,modules,etc/acpi/PWRF,etc/acpi/PWRB}
  cp /bin/busybox "$tree/bin/busybox"
  for applet in $(busybox --list); do
    [ "$applet" = busybox ] || ln -s busybox "$tree/bin/$applet"
  done
  copy_program "$tree" /usr/bin/iperf3
  while read -r module; do
    cp "$module" "$tree/modules/$n-${module##*/}"
    n=$((n + 1))
  done < <(modprobe -d "$base" -S "$version" -a --show-depends virtio_pci virtio_net virtio-rng evdev button |
    awk '$1 == "insmod" && !seen[$2]++ { print $2 }')
  ls "$tree"/modules/*-virtio_net.ko >/dev/null || die "kernel $version has no module virtio_net"
  for applet in PWRF PWRB; do
    printf '#!/bin/sh\nexec poweroff -f\n' >"$tree/etc/acpi/$applet/00000080"
    chmod +x "$tree/etc/acpi/$applet/00000080"
  done
  install -m 755 "$root/scripts/lib/guest-init" "$tree/init"
  install -m 755 "$root/scripts/lib/guest-dhcp" "$tree/etc/udhcpc.script"
  (cd "$tree" && find . | cpio -o -H newc --quiet | gzip -1) >"$out"
  cp "$base/boot/vmlinuz-$version" "${out%/*}/vmlinuz"
  rm -rf "$tree"
}
