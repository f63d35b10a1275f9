#!/bin/busybox sh
# The guest's first and only program; its argument comes from the kernel's command line.
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t proc proc /proc
for module in virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci virtio_blk; do
  /bin/busybox insmod "/modules/$module.ko"
done
/bin/busybox mount -t ext4 /dev/vda /disk
exec /bin/node /worker.cjs /disk/state 1000000 "$1"
