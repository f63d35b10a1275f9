import { owedStrategy } from '../../agent/core/kubernetes/daemon-set.ts'
import { CONFIG_ANNOTATION } from '../../agent/core/kubernetes/marks.ts'
import type { FakeCluster } from '../fakes/cluster.ts'
import { manifestFlaws } from './hosted-manifest.ts'
import type { HostedOptions } from './hosted-options.ts'

export const [OLD, NEW, CNI] = ['calico/node:v3.17.6', 'calico/node:v3.20.0', 'calico/cni:v3.17.6']
export const [OLD_MTU, NEW_MTU] = ['1440', '1410']
/** Of the new config. */
export const MARK = 'mark-of-1410'

/** How a run on a hosted host ended. */
interface End {
  outcome: string
  /** The container from before the run is not there any more. */
  isMoved: boolean
  /** Of the container that runs. */
  env: string[]
}

/** That a host runs after an upgrade. */
export function imageAsked({ config }: HostedOptions): string {
  return config === 'alone' ? OLD : NEW
}

/** In words, what of the cluster, and of what the container was started with, is not as it must be. */
export function clusterFlaws(cluster: FakeCluster, options: HostedOptions, end: End): string[] {
  const isUpgraded = end.outcome === 'upgraded'
  const isBegun = options.other === 'done'
  const isUntouched = ['refused', 'nothing'].includes(end.outcome) || !end.isMoved
  // what other hosts began goes on where this one has not moved
  const isNew = isUpgraded || (isUntouched && isBegun)
  return [
    ...(options.manifest ? manifestFlaws(cluster, { template: isNew, objects: isUpgraded || isBegun }) : []),
    ...templateFlaws(cluster, options, isNew),
    ...keyFlaws(cluster, options, isNew),
    ...strategyFlaws(cluster, options, isUpgraded),
    ...startFlaws(cluster, options, end),
  ]
}

function templateFlaws({ set }: FakeCluster, options: HostedOptions, isNew: boolean): string[] {
  const { metadata, spec } = set.spec.template
  const all = [...(spec.initContainers ?? []), ...spec.containers]
  const found = all
    .filter(({ name }) => ['install-cni', 'calico-node'].includes(name))
    .map(({ image }) => image)
    .join()
  const mark = metadata?.annotations?.[CONFIG_ANNOTATION]
  return [
    ...(found === `${CNI},${isNew ? imageAsked(options) : OLD}` ? [] : [`the template has ${found}`]),
    ...(mark === (isNew && options.config ? MARK : undefined) ? [] : [`the template has the mark ${mark}`]),
  ]
}

function keyFlaws({ configMap }: FakeCluster, { config }: HostedOptions, isNew: boolean): string[] {
  const { data, metadata } = configMap
  const isWritten = isNew && config !== undefined
  const key = data?.['veth_mtu']
  return [
    ...(key === (isWritten ? NEW_MTU : OLD_MTU) ? [] : [`the ConfigMap has ${key}`]),
    ...((metadata.annotations?.[CONFIG_ANNOTATION] !== undefined) === isWritten ? [] : ['its mark is left']),
  ]
}

/** It comes back with the last host, whichever way; until then it is known. */
function strategyFlaws({ set }: FakeCluster, { other }: HostedOptions, isUpgraded: boolean): string[] {
  const { type, rollingUpdate } = set.spec.updateStrategy
  const isUnderWay = other !== undefined && (other === 'to come') === isUpgraded
  if (!isUnderWay)
    return type === 'RollingUpdate' && rollingUpdate?.['maxUnavailable'] === 1
      ? []
      : [`the strategy is ${type}`]
  const owed = owedStrategy(set)?.rollingUpdate?.['maxUnavailable']
  return type === 'OnDelete' && owed === 1 ? [] : [`the strategy is ${type}, and RollingUpdate is lost`]
}

/** What runs was started with the keys as they belong to its pod; a pod that the kubelet starts again reads what is there. */
function startFlaws({ configMap }: FakeCluster, { config }: HostedOptions, { outcome, env }: End): string[] {
  const isNew = outcome === 'upgraded' && config !== undefined
  const right = [isNew ? NEW_MTU : OLD_MTU, configMap.data?.['veth_mtu']]
  return right.some((mtu) => env.includes(`MTU=${mtu}`)) ? [] : [`it was started with ${env.join()}`]
}
