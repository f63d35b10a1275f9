import { imageChange, pullSteps } from '../docker/image-state.ts'
import type { ObservedImage } from '../model.ts'
import { nodeRuns } from '../node-image.ts'
import { askedVersion, runningVersion } from '../release/node-versions.ts'
import { configMapDiff } from './config-map.ts'
import { imageAsked, imageDiff, oldContainer } from './container-swap.ts'
import { type DaemonSetInput, entriesDiff, isPodOf, templateEntries } from './daemon-set-entries.ts'
import { swapPart, wholeDiff } from './daemon-set-swap.ts'
import { type PlanPart, unchanged } from './part.ts'
import type { Change } from './plan.ts'

/** Has the DaemonSet run `image` on this host: its template first, then this host's pod alone. */
export function daemonSetPart(input: DaemonSetInput, image: ObservedImage): PlanPart {
  const { node, daemonSet, cni, flexvol } = input
  const change = imageChange(node, image)
  const entries = templateEntries(input, image.ref)
  if (nodeRuns(node, image) && isPodOf(input, entries)) return unchanged('node', change)
  return {
    component: 'node',
    change,
    prepare: [
      ...pullSteps('node', image),
      ...(cni?.image ? pullSteps('node', cni.image) : []),
      ...(flexvol ? pullSteps('node', flexvol) : []),
    ],
    ...swapPart({ ...input, templates: input.manifest }, entries, {
      to: image.ref,
      version: askedVersion(image),
    }),
    diff: [
      ...configMapDiff(input.configMap),
      ...(input.manifest ? wholeDiff(daemonSet, input.manifest) : entriesDiff(daemonSet, entries)),
      ...imageDiff(oldContainer(node, input.engineHostname), node, imageAsked(image)),
    ],
  }
}

/** Has the DaemonSet start the pod of this host with other plugins or another config, and with calico/node as it is. */
export function podPart(input: DaemonSetInput, component: 'cni' | 'configMap', change: Change): PlanPart {
  const { node, daemonSet, cni } = input
  const { Image: ref } = node.container.Config
  const entries = templateEntries(input, ref)
  if (isPodOf(input, entries)) return unchanged(component, change)
  return {
    component,
    change,
    prepare: cni?.image ? pullSteps(component, cni.image) : [],
    ...swapPart(input, entries, { to: ref, version: runningVersion(node) }, component),
    diff: [...configMapDiff(input.configMap), ...entriesDiff(daemonSet, entries)],
  }
}
