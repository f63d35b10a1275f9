import { AgentError, type Problem } from '../core/errors.ts'
import {
  calicoMap,
  keysPatch,
  type ObservedConfigMap,
  observedConfigMap,
} from '../core/kubernetes/config-map.ts'
import type { ObservedDaemonSet } from '../core/kubernetes/daemon-set.ts'
import type { ObservedNode } from '../core/model.ts'
import type { Wanted } from '../core/wanted.ts'
import type { Kubernetes } from '../ports/kubernetes.ts'

export type FoundConfigMap = ObservedConfigMap | { problem: Problem }

/** The ConfigMap that Calico's pods read, and whether it may be changed; undefined where nothing is asked of it. */
export async function observeConfigMap(
  { configMap: wanted, manifest }: Pick<Wanted, 'configMap' | 'manifest'>,
  kubernetes: Kubernetes | null,
  lookAtNode: Promise<ObservedNode | null>,
): Promise<FoundConfigMap | undefined> {
  if (wanted === null || kubernetes === null) return undefined
  const set = (await lookAtNode)?.daemonSet
  const named = manifest?.configMap?.metadata
  if (!set) return { problem: notHosted('no DaemonSet keeps calico/node on this host') }
  // the rule about the DaemonSet says why
  if ('problem' in set) return undefined
  // the new template reads another one, which is applied with the rest of the manifest
  if (named && named.name !== calicoMap(set.reads ?? NO_READS)) return undefined
  try {
    return await findConfigMap(wanted, set, kubernetes)
  } catch (error) {
    if (error instanceof AgentError) return { problem: error.asProblem() }
    throw error
  }
}

const NO_READS = { maps: [], keys: [] }

async function findConfigMap(
  wanted: NonNullable<Wanted['configMap']>,
  { namespace, name: set, reads = NO_READS }: ObservedDaemonSet,
  kubernetes: Kubernetes,
): Promise<FoundConfigMap> {
  const name = calicoMap(reads)
  if (name === null) {
    const others =
      reads.maps.length === 0
        ? 'no ConfigMap'
        : `several, and none is calico-config: ${reads.maps.join(', ')}`
    return { problem: notHosted(`the pods of DaemonSet ${namespace}/${set} read ${others}`) }
  }
  const ref = { kind: 'ConfigMap', namespace, name } as const
  const map = await kubernetes.get(ref)
  if (map === null) return { problem: notHosted(`there is no ConfigMap ${namespace}/${name}`) }
  const observed = observedConfigMap(map, wanted, reads)
  await kubernetes.tryPatch(ref, keysPatch(map, observed))
  return observed
}

function notHosted(why: string): Problem {
  return {
    code: 'config-map',
    severity: 'error',
    message: `cannot change the ConfigMap of Calico: ${why}`,
    fix: 'remove hosted.configMap from the config, or keep the run to other parts: --only node,cni',
  }
}
