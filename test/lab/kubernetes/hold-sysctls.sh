#!/bin/sh
# A kubelet sets these of the kernel, which is the whole machine's (pkg/util/sysctl). Here it finds them set: a file with
# the value it wants lies over each.
set -eu
hold() {
  over=/proc/sys/$1 file=/run/kubelet-sysctls/$1
  [ "$(cat "$over")" = "$2" ] && return
  mkdir -p "$(dirname "$file")"
  echo "$2" > "$file"
  mount --bind "$file" "$over"
}
hold vm/overcommit_memory 1
hold vm/panic_on_oom 0
hold kernel/panic 10
hold kernel/panic_on_oops 1
hold kernel/keys/root_maxkeys 1000000
hold kernel/keys/root_maxbytes 25000000
