import { imageVersion } from '../docker/health.ts'
import { tagOf } from '../docker/image-ref.ts'
import type { ObservedDaemonSet } from '../kubernetes/daemon-set.ts'
import { CONFIG_ANNOTATION } from '../kubernetes/marks.ts'
import { containsAll } from '../kubernetes/template.ts'
import { configMapDiff, configName, keysBack } from './config-map.ts'
import { type DaemonSetInput, entriesDiff, entriesOfTemplate, podEntries } from './daemon-set-entries.ts'
import { type Asked, swapPart, type Templates, wholeDiff } from './daemon-set-swap.ts'
import type { PlanPart } from './part.ts'
import type { Component, PlannedStep, StepArgs } from './plan.ts'
import { changedImages, entriesAt, isAsBefore } from './swapped-images.ts'

/** This host's pod has what an earlier run replaced. */
export function isPodBack({ pod }: ObservedDaemonSet, { images }: StepArgs['swap-pod']): boolean {
  return isAsBefore(podEntries(pod), images)
}

/** Has the DaemonSet run what an earlier run replaced here; `missing` are the images that this host lost since. */
export function daemonSetBackPart(
  input: Omit<DaemonSetInput, Asked>,
  swap: StepArgs['swap-pod'],
  missing: string[],
): PlanPart {
  const { from, images, old } = swap
  const back = entriesAt(images, 'from')
  const configMap = keysBack(swap)
  const templates = templatesBack(input.daemonSet, swap)
  const target = { to: from, version: imageVersion(tagOf(from), null) }
  const { component, change } = changeBack(swap)
  return {
    component,
    change,
    prepare: missing.map((image): PlannedStep => {
      const args = { image, ...(image === from && { id: old.imageId }) }
      return { kind: 'pull-image', component, args }
    }),
    ...swapPart({ ...input, templates, ...(configMap && { configMap }) }, back, target, component),
    diff: [
      ...configMapDiff(configMap),
      ...(templates ? wholeDiff(input.daemonSet, templates) : entriesDiff(input.daemonSet, back)),
    ],
  }
}

/** Restores the whole template that this host's pod had; undefined where only entries of it were changed. */
function templatesBack(
  daemonSet: ObservedDaemonSet,
  { images, templates }: StepArgs['swap-pod'],
): Templates | undefined {
  if (!templates) return undefined
  // another host may have restored it before
  const isBack = containsAll(entriesOfTemplate(daemonSet), entriesAt(images, 'from'))
  return { from: templates.to, was: isBack ? templates.from : templates.to, to: templates.from }
}

/** What the swap was for, in the other direction: the plugins or the config, where calico/node stayed as it was. */
function changeBack({
  from,
  to,
  images,
}: StepArgs['swap-pod']): Pick<PlanPart, 'change'> & { component: Component } {
  const [plugins] = from === to ? changedImages(images) : []
  if (plugins) return { component: 'cni', change: { from: plugins.to, to: plugins.from } }
  const mark = from === to ? images.find(({ name }) => name === CONFIG_ANNOTATION)?.to : undefined
  if (mark === undefined) return { component: 'node', change: { from: to, to: from } }
  return { component: 'configMap', change: { from: configName(mark), to: 'as it was before' } }
}
