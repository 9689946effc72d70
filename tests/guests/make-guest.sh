#!/bin/bash
# Makes a real guest out of Debian's packages: a stock kernel, a busybox initramfs, firmware, and on request a Debian
# root disk. Needs no root and leaves the system's apt alone; the mirror is the one this machine's apt uses.
#
#   make-guest.sh [--disk] [--suite trixie] [--force] ARCH          ARCH is riscv64
#
# Makes in $ASCUS_GUESTS/ARCH (default: .guests/ARCH at the top of the project), and does nothing if it is there:
#   Image  initramfs.cpio.gz  config  fw/...
#   disk.raw   with --disk: ext4 without a partition table, systemd, login root/root; GUEST_PACKAGES="gcc ..." adds
#              packages. They are configured in the guest itself, by GUEST_EMULATOR (default: qemu-system-riscv64).
# init, beside this file, tells what the initramfs understands on the kernel's command line.
set -euo pipefail
umask 022
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)

fail() {
  echo "make-guest: $*" >&2
  exit 1
}

say() { echo "make-guest: $*"; }

disk=''
force=''
suite=trixie
while [ $# -gt 1 ]; do
  case $1 in
    --disk) disk=yes ;;
    --force) force=yes ;;
    --suite) suite=$2; shift ;;
    *) fail "unknown option $1 (see the head of $0)" ;;
  esac
  shift
done
arch=${1:-}

# An architecture is a block here: its packages, the firmware files worth keeping, and how to run it.
case $arch in
  riscv64)
    kernel=linux-image-riscv64
    firmware="opensbi u-boot-qemu qemu-efi-riscv64"
    firmware_files="opensbi/generic/fw_dynamic.bin opensbi/generic/fw_dynamic.elf opensbi/generic/fw_jump.bin
      opensbi/generic/fw_jump.elf u-boot/qemu-riscv64/u-boot.bin u-boot/qemu-riscv64_smode/u-boot.bin
      qemu-efi-riscv64/RISCV_VIRT_CODE.fd qemu-efi-riscv64/RISCV_VIRT_VARS.fd"
    image_magic=52534305 # RSC\5 at offset 56
    console=ttyS0
    emulator=${GUEST_EMULATOR:-qemu-system-riscv64}
    ;;
  *) fail "architecture '$arch': only riscv64 so far" ;;
esac

# Modules the initramfs can load, besides what the stock kernel has built in.
mmio_modules="virtio_mmio virtio_blk virtio_net"
all_modules="$mmio_modules virtio_pci virtio_console virtio_rng virtio_scsi sd_mod ext4 e1000e crc32c_generic
  crc32c-cryptoapi 9p 9pnet_virtio"

guests=${ASCUS_GUESTS:-$(cd "$here/../.." && pwd)/.guests}
out=$guests/$arch
work=$guests/work/$arch-$suite
mkdir -p "$out" "$work"
exec 9>"$work/lock"
flock 9
if [ -z "$force" ] && [ -e "$out/initramfs.cpio.gz" ] && { [ -z "$disk" ] || [ -e "$out/disk.raw" ]; }; then
  exit 0
fi
PATH=$PATH:/usr/sbin:/sbin
missing=
for tool in apt-get:apt dpkg-deb:dpkg depmod:kmod cpio:cpio xz:xz-utils gzip:gzip ${disk:+debootstrap:debootstrap} \
  ${disk:+fakeroot:fakeroot} ${disk:+mke2fs:e2fsprogs} ${disk:+"${emulator%% *}":qemu-system-misc}; do
  command -v "${tool%%:*}" >/dev/null || missing+=" ${tool##*:}"
done
[ -z "$missing" ] || fail "install these Debian packages first:$missing"

# --- Packages: an apt of our own beside the system's ---

# The first source, in either of apt's notations, whose address ends in /debian.
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list 2>/dev/null |
  awk '$1 == "deb" || $1 == "URIs:" { for (i = 2; i <= NF; i++) if ($i ~ /^[a-z]+:.*\/debian\/*$/) { print $i; exit } }' ||
  true)
[ -n "$mirror" ] || fail "no Debian mirror in /etc/apt: run this on Debian"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

private_apt() {
  apt-get -qq -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=/dev/null -o Dir::Etc::Preferences=/dev/null \
    -o Dir::Etc::PreferencesParts=/dev/null -o Dir::State="$work/state" -o Dir::State::Status="$work/status" \
    -o Dir::Cache="$work/cache" -o APT::Architecture="$arch" -o APT::Architectures="$arch" \
    -o Acquire::Languages=none -o APT::Sandbox::User="$(id -un)" "$@"
}

# Unpacks package $1 into folder $2.
unpack() {
  (cd "$work/debs" && { ls "$1"_*.deb >/dev/null 2>&1 || private_apt download "$1"; }) || fail "no package $1 in $suite"
  mkdir -p "$2"
  dpkg-deb -x "$work/debs/$1"_*.deb "$2"
}

say "packages from Debian $suite"
mkdir -p "$work/state/lists/partial" "$work/cache/archives/partial" "$work/debs"
: >"$work/status"
echo "deb [signed-by=$keyring] $mirror $suite main" >"$work/sources.list"
private_apt update
rm -rf "$work/root"
unpack "$kernel" "$work/root"
real_kernel=$(dpkg-deb -f "$work/debs/$kernel"_*.deb Depends | grep -oE 'linux-image-[^ ,]+' | head -n 1)
unpack "$real_kernel" "$work/root"
unpack busybox-static "$work/root"
for package in $firmware; do
  unpack "$package" "$work/root"
done

# --- Kernel and firmware ---

cp "$work"/root/boot/config-* "$out/config"
cp "$work"/root/boot/vmlinu?-* "$work/Image"
if [ "$(head -c 2 "$work/Image" | od -An -tx1 | tr -d ' \n')" = 1f8b ]; then
  gzip -dc <"$work/Image" >"$work/Image.flat" && mv "$work/Image.flat" "$work/Image"
fi
[ "$(od -An -tx1 -j 56 -N 4 "$work/Image" | tr -d ' \n')" = $image_magic ] || fail "$real_kernel is no flat Image"
mv "$work/Image" "$out/Image"
for file in $firmware_files; do
  found=$(find "$work/root/usr" -path "*/$file" | head -n 1)
  [ -n "$found" ] || fail "no firmware file $file"
  case $file in
    u-boot/*) target=$out/fw/u-boot-$(basename "$(dirname "$file")")/u-boot.bin ;;
    *) target=$out/fw/${file##*/} ;;
  esac
  mkdir -p "${target%/*}"
  cp "$found" "$target"
done

# --- Initramfs ---

release=$(basename "$work"/root/boot/vmlinu?-* | sed 's/^vmlinu.-//')
modules_root=$(find "$work/root" -type d -path "*/lib/modules/$release" | head -n 1)
tree=$work/initramfs
rm -rf "$tree"
mkdir -p "$tree"/{bin,sbin,etc,modules,dev,proc,sys,root,usr/bin,usr/sbin}
cp "$(find "$work/root" -path '*/bin/busybox' | head -n 1)" "$tree/bin/busybox"
ln -s busybox "$tree/bin/sh"
install -m 755 "$here/init" "$tree/init"
echo "root::0:0:root:/root:/bin/sh" >"$tree/etc/passwd"
depmod -b "${modules_root%/lib/modules/*}" "$release"

# Prints the files of the modules given, each after those it needs. A line of modules.dep is "file: needed needed ...",
# what must be loaded first standing last.
module_files() {
  local name
  for name in "$@"; do
    grep -E "(^|/)${name//[-_]/[-_]}\.ko[^:]*:" "$modules_root/modules.dep" || true
  done | awk '{ sub(":", "", $1); for (i = NF; i > 0; i--) if (!seen[$i]++) print $i }'
}

copy_modules() {
  local order=$1 file name
  shift
  for file in $(module_files "$@"); do
    name=$(basename "$file" .xz)
    case $file in
      *.xz) xz -dc "$modules_root/$file" >"$tree/modules/$name" ;;
      *) cp "$modules_root/$file" "$tree/modules/$name" ;;
    esac
    echo "$name"
  done >"$tree/modules/$order"
}

# The lists are meant to fall apart into words.
# shellcheck disable=SC2086
copy_modules order-mmio $mmio_modules
# shellcheck disable=SC2086
copy_modules order $all_modules
find "$tree" -exec touch -h -d @0 {} +
(cd "$tree" && find . | LC_ALL=C sort | cpio --quiet --reproducible -o -H newc -R 0:0) | gzip -9n >"$work/initramfs.gz"
mv "$work/initramfs.gz" "$out/initramfs.cpio.gz"

# --- Root disk ---

if [ -n "$disk" ]; then
  packages=systemd-sysv,udev,kmod,login,passwd,mount,procps,iproute2,iputils-ping,netbase,dbus,e2fsprogs
  for package in ${GUEST_PACKAGES:-}; do
    packages+=,$package
  done
  say "root disk: packages"
  rm -f "$work/disk.raw"
  export arch suite mirror keyring packages work
  # One fakeroot for both steps, so that mke2fs sees the owners that debootstrap gave the files.
  fakeroot bash -euc '
    rm -rf "$work/disk"
    debootstrap --foreign --variant=minbase --arch="$arch" --keyring="$keyring" --include="$packages" \
      --cache-dir="$work/debs" "$suite" "$work/disk" "$mirror" >"$work/debootstrap.log" 2>&1
    cat >"$work/disk/second-stage" <<"STAGE"
#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive SYSTEMD_OFFLINE=1
/debootstrap/debootstrap --second-stage || { tail -n 20 /debootstrap/debootstrap.log; exit 1; }
echo root:root | chpasswd
echo guest >/etc/hostname
echo "/dev/vda / ext4 defaults,noatime 0 1" >/etc/fstab
printf "[Match]\nName=e*\n[Network]\nDHCP=yes\n" >/etc/systemd/network/80-dhcp.network
systemctl enable systemd-networkd >/dev/null 2>&1
rm -rf /second-stage /var/cache/apt/archives/*.deb
STAGE
    chmod 755 "$work/disk/second-stage"
    mke2fs -q -t ext4 -L guest -m 1 -E lazy_itable_init=0 -d "$work/disk" "$work/disk.raw" 2G
    rm -rf "$work/disk"' || { tail -n 5 "$work/debootstrap.log" >&2; fail "the root disk could not be made"; }
  say "root disk: configuring the packages in the guest (several minutes)"
  # The emulator may come with options.
  # shellcheck disable=SC2086
  timeout 3600 $emulator -M virt -m 1G -smp 2 -nographic -no-reboot -kernel "$out/Image" \
    -initrd "$out/initramfs.cpio.gz" -append "console=$console quiet guest.root=/dev/vda guest.chroot=/second-stage" \
    -drive file="$work/disk.raw",format=raw,if=none,id=d,cache=unsafe -device virtio-blk-device,drive=d \
    </dev/null >"$work/second-stage.log" 2>&1 || true
  grep -qa "GUEST-DONE rc=0" "$work/second-stage.log" || fail "configuring failed, see $work/second-stage.log"
  mv "$work/disk.raw" "$out/disk.raw"
fi
say "made $out"
