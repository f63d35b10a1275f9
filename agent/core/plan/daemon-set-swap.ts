import { envMap } from '../docker/health.ts'
import type { ConfigMapChange } from '../kubernetes/config-map.ts'
import type { ObservedDaemonSet } from '../kubernetes/daemon-set.ts'
import type { TemplateEntry } from '../kubernetes/template.ts'
import { envAfter } from '../kubernetes/template-env.ts'
import type { DiffEntry } from '../report/report.ts'
import { writtenKeys } from './config-map.ts'
import { oldContainer } from './container-swap.ts'
import { containerName, type DaemonSetInput, swappedImage } from './daemon-set-entries.ts'
import { gateOf } from './node.ts'
import { templateDiff } from './object-diff.ts'
import type { PlanPart } from './part.ts'
import type { Component, StepArgs } from './plan.ts'

/** What is asked of the template, as entries and as changes. */
export type Asked = 'cni' | 'flexvol' | 'configMap' | 'manifest'
export type Templates = NonNullable<StepArgs['swap-pod']['templates']>

interface Changes {
  configMap?: ConfigMapChange | null
  templates?: Templates | null | undefined
}

/** Swaps the pod of this host, and its template to these entries. */
export function swapPart(
  input: Omit<DaemonSetInput, Asked> & Changes,
  entries: TemplateEntry[],
  { to, version }: { to: string; version: string | null },
  component: Component = 'node',
): Pick<PlanPart, 'move' | 'commits' | 'after'> {
  const { daemonSet, node, run } = input
  const { namespace, name, pod } = daemonSet
  const set = { namespace, name }
  const container = containerName(node)
  const env = envMap(node.container.Config.Env)
  const args: StepArgs['swap-pod'] = {
    set,
    run,
    pod: {
      ...{ name: pod.name, uid: pod.uid, node: pod.node },
      ...(pod.revision !== undefined && { revision: pod.revision }),
    },
    container,
    images: entries.map((one) => swappedImage(daemonSet, one, input.templates?.from)),
    ...(input.configMap && { configMap: writtenKeys(input.configMap) }),
    ...(input.templates && { templates: wholeOf(input.templates) }),
    from: node.container.Config.Image,
    to,
    ...(input.runtime !== undefined && { runtime: input.runtime }),
    old: oldContainer(node, input.engineHostname),
    gate: gateOf(input, version, input.templates ? envAfter(env, container, input.templates) : env),
  }
  return {
    move: [{ kind: 'swap-pod', component, args }],
    commits: [],
    after: [{ kind: 'restore-strategy', component, args: { set } }],
  }
}

/** Without the mark of the manifest, which is an entry. */
function wholeOf({ from, was, to }: Templates): Templates {
  return { from, was, to }
}

export function wholeDiff({ namespace, name }: ObservedDaemonSet, { was, to }: Templates): DiffEntry[] {
  return templateDiff(`daemonset ${namespace}/${name}`, was, to)
}
