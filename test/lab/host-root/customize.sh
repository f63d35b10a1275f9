#!/bin/sh
# Run by mmdebstrap with the new root as $1: what a container that boots systemd must not do to the machine around
# it (its /sys, kernel settings, consoles and clock are the machine's own), and where the agent is found.
set -eu
root=$1

for unit in systemd-udevd.service systemd-udevd-control.socket systemd-udevd-kernel.socket \
    systemd-udev-trigger.service systemd-udev-settle.service systemd-modules-load.service systemd-sysctl.service \
    systemd-remount-fs.service systemd-logind.service systemd-random-seed.service systemd-hwdb-update.service \
    systemd-update-utmp.service systemd-update-utmp-runlevel.service systemd-timesyncd.service systemd-binfmt.service systemd-pstore.service systemd-quotacheck.service \
    console-getty.service getty@.service getty.target serial-getty@.service \
    dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount sys-kernel-tracing.mount sys-kernel-config.mount \
    sys-fs-fuse-connections.mount proc-sys-fs-binfmt_misc.automount proc-sys-fs-binfmt_misc.mount kmod-static-nodes.service \
    apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer \
    systemd-tmpfiles-clean.timer e2scrub_reap.service systemd-networkd.service; do
  ln -sf /dev/null "$root/etc/systemd/system/$unit"
done

# They make units of a machine's disks, consoles and kernel command line, a process each at every daemon-reload.
rm "$root"/usr/lib/systemd/system-generators/*

ln -sf /opt/calico-agent/agent "$root/usr/local/bin/agent"
ln -sf /opt/calico-agent/agent "$root/usr/local/bin/calico-agent"
mkdir -p "$root/opt/calico-agent" "$root/etc/docker"
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/*
: > "$root/etc/machine-id"
