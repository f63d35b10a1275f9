import { describe, expect, it } from 'vitest'
import { containerOf } from '../../../agent/core/runtime/cgroup.ts'

const id = '4f0c6a5d1b2e3f4a5b6c7d8e9f0a1b2c3d4e5f60718293a4b5c6d7e8f9a0b1c2'
const host = '9'.repeat(64)
const uid = '2f1c9a1e-7b0d-4c55-8d6e-0a1b2c3d4e5f'
const escaped = uid.replaceAll('-', '_')
const hash = '0123456789abcdef0123456789abcdef'

describe('the container of a process, by its cgroup', () => {
  it.each<[string, string, string | null]>([
    ['cgroupfs, v2', `0::/kubepods/burstable/pod${uid}/${id}`, uid],
    ['cgroupfs, v2, guaranteed', `0::/kubepods/pod${uid}/${id}`, uid],
    [
      'systemd, v2',
      `0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${escaped}.slice/cri-containerd-${id}.scope`,
      uid,
    ],
    [
      'systemd, v2, guaranteed',
      `0::/kubepods.slice/kubepods-pod${escaped}.slice/cri-containerd-${id}.scope`,
      uid,
    ],
    [
      'CRI-O, v2',
      `0::/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod${escaped}.slice/crio-${id}.scope`,
      uid,
    ],
    [
      'a systemd of its own inside',
      `0::/kubepods.slice/kubepods-pod${escaped}.slice/cri-containerd-${id}.scope/init.scope`,
      uid,
    ],
    [
      'a runtime that disagrees with its kubelet about the driver',
      `0::/system.slice/containerd.service/kubepods-burstable-pod${escaped}.slice:cri-containerd:${id}`,
      uid,
    ],
    ['from a cgroup namespace of another pod', `0::/../../pod${uid}/${id}`, uid],
    ['from a cgroup namespace of the same pod', `0::/../${id}`, null],
    ['a static pod', `0::/kubepods/burstable/pod${hash}/${id}`, hash],
    [
      'cgroupfs, v1',
      `12:pids:/kubepods/burstable/pod${uid}/${id}\n1:name=systemd:/kubepods/burstable/pod${uid}/${id}\n0::/`,
      uid,
    ],
    [
      'systemd, v1, where one hierarchy has it',
      `12:pids:/\n11:memory:/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod${escaped}.slice/cri-containerd-${id}.scope\n`,
      uid,
    ],
    ['no cgroups for each pod', `3:cpu,cpuacct:/k8s.io/${id}`, null],
    ['a host that is a container', `0::/docker/${host}/kubelet/kubepods/pod${uid}/${id}`, uid],
    ['Docker', `0::/system.slice/docker-${id}.scope`, null],
  ])('%s', (_, text, podUid) => {
    expect(containerOf(text)).toEqual({ id, podUid })
  })

  it.each([
    ['a process of the host', '0::/init.scope\n'],
    ['a service', '0::/system.slice/kubelet.service'],
    ['v1', '12:pids:/system.slice/ssh.service\n1:name=systemd:/system.slice/ssh.service\n0::/'],
    ['the cgroup of a pod itself', `0::/kubepods/burstable/pod${uid}`],
    ['too short for an id', `0::/kubepods/pod${uid}/${id.slice(1)}`],
    ['longer than an id', `0::/kubepods/pod${uid}/a${id}`],
    ['no id at all', `0::/kubepods/pod${uid}/${id.replace('4', 'g')}`],
    ['nothing', ''],
  ])('none: %s', (_, text) => {
    expect(containerOf(text)).toBeNull()
  })
})
