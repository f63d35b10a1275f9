/** A container as the cgroup of its processes names it. */
export interface CgroupContainer {
  id: string
  /** Of its pod; null where the kubelet makes no cgroup for each pod. */
  podUid: string | null
}

/**
 * The id is a directory of its own (cgroupfs: `/kubepods/burstable/podUID/ID`), or the name of a scope with the runtime's
 * prefix (systemd: `cri-containerd-ID.scope`, `crio-ID.scope`; `...slice:cri-containerd:ID` where the two disagree).
 */
const CONTAINER_ID = /(?<=[/:-])[0-9a-f]{64}(?=\.scope\b|\/|$)/g

/** systemd's names have no dash inside of a part: the kubelet writes an underscore. A static pod's uid is a hash. */
const POD_UID = /[/-]pod([0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}|[0-9a-f]{32})(?=\.slice\b|\/|$)/g

/**
 * The container that a process is in, by the text of its /proc/PID/cgroup: one line in cgroup v2, one for each hierarchy
 * in v1. Null for a process of the host. In a container inside another one, the inner one counts.
 */
export function containerOf(cgroup: string): CgroupContainer | null {
  for (const line of cgroup.split('\n')) {
    const path = line.slice(line.indexOf(':', line.indexOf(':') + 1) + 1)
    const id = path.match(CONTAINER_ID)?.at(-1)
    if (id === undefined) continue
    const uid = [...path.matchAll(POD_UID)].at(-1)?.[1] ?? null
    return { id, podUid: uid && uid.replaceAll('_', '-') }
  }
  return null
}
