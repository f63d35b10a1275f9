import type { ContainerJson, MountPoint } from '../docker/json.ts'
import type { ContainerOfPod, PodContainerStatus, PodObject, PodSpec } from '../kubernetes/pod.ts'
import { CONTAINER_LABEL, NAMESPACE_LABEL, POD_LABEL, UID_LABEL } from '../pod/static-pod.ts'
import type { LoggedContainer } from './kubelet-log.ts'

/** What a host shows of a container. */
export interface SeenContainer {
  /** Of its first process; null where none runs. */
  pid: number | null
  /** RFC 3339. */
  startedAt: string
  exitCode: number
  /** `KEY=value`, as its first process has it; empty where none runs. */
  env: string[]
}

/** As dockershim names it, and labels it: what is known by the name or the labels is the same under every runtime. */
export function podContainerName({ container, pod, namespace, uid, attempt }: LoggedContainer): string {
  return `k8s_${container}_${pod}_${namespace}_${uid}_${attempt}`
}

export function podLabels({ container, pod, namespace, uid }: LoggedContainer): Record<string, string> {
  return {
    [CONTAINER_LABEL]: container,
    [POD_LABEL]: pod,
    [NAMESPACE_LABEL]: namespace,
    [UID_LABEL]: uid,
  }
}

/**
 * A pod's container as Docker would describe it, as far as the host and the cluster tell: what the pod does not ask for
 * is not known. `pod` is null where the cluster has it no more.
 */
export function podContainerJson(
  logged: LoggedContainer,
  seen: SeenContainer,
  pod: PodObject | null,
): ContainerJson {
  const spec = pod && containersOf(pod.spec).find(({ name }) => name === logged.container)
  return {
    Id: logged.id,
    Name: `/${podContainerName(logged)}`,
    Image: (pod && imageIdOf(statusOf(pod, logged)?.imageID)) ?? '',
    State: {
      Status: seen.pid === null ? 'exited' : 'running',
      Running: seen.pid !== null,
      Pid: seen.pid ?? 0,
      ExitCode: seen.exitCode,
      StartedAt: seen.startedAt,
      FinishedAt: '',
    },
    Config: {
      Image: spec?.image ?? '',
      Env: seen.env,
      Entrypoint: spec?.command ?? null,
      Cmd: spec?.args ?? null,
      Labels: podLabels(logged),
    },
    HostConfig: {
      NetworkMode: pod?.spec.hostNetwork === true ? 'host' : 'pod',
      RestartPolicy: { Name: 'no' },
    },
    Mounts: pod && spec ? hostMounts(spec, pod.spec) : [],
    NetworkSettings: { Networks: {} },
  }
}

/** What the kubelet has reported of this very container, not of one that it started before or after; undefined before that. */
export function statusOf({ status = {} }: PodObject, { id }: { id: string }): PodContainerStatus | undefined {
  const { initContainerStatuses = [], containerStatuses = [] } = status
  return [...initContainerStatuses, ...containerStatuses].find((one) => hasId(one.containerID, id))
}

/** With which code it ended, by its pod; null where the kubelet has not reported it yet. */
export function exitCodeOf({ status = {} }: PodObject, { id }: { id: string }): number | null {
  const { initContainerStatuses = [], containerStatuses = [] } = status
  const ends = [...initContainerStatuses, ...containerStatuses].flatMap(({ state, lastState }) => [
    state?.terminated,
    lastState?.terminated,
  ])
  return ends.find((one) => hasId(one?.containerID, id))?.exitCode ?? null
}

function hasId(reported: string | undefined, id: string): boolean {
  return reported?.endsWith(`://${id}`) === true
}

/** The digest of its manifest, which names an image's content under a runtime that reports no other id; null for none. */
export function imageIdOf(imageId: string | undefined): string | null {
  return /sha256:[0-9a-f]{64}$/.exec(imageId ?? '')?.[0] ?? null
}

function containersOf({ initContainers = [], containers }: PodSpec): ContainerOfPod[] {
  return [...initContainers, ...containers]
}

/** Those of the host's directories; what else a pod mounts is the kubelet's own. */
function hostMounts({ volumeMounts = [] }: ContainerOfPod, { volumes = [] }: PodSpec): MountPoint[] {
  return volumeMounts.flatMap(({ name, mountPath, subPath, readOnly = false }) => {
    const path = volumes.find((one) => one.name === name)?.hostPath?.path
    if (path === undefined) return []
    const Source = subPath === undefined ? path : `${path}/${subPath}`
    return [{ Type: 'bind', Source, Destination: mountPath, RW: !readOnly }]
  })
}
