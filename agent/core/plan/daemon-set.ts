import { imageVersion } from '../docker/health.ts'
import { tagOf } from '../docker/image-ref.ts'
import { imageChange, pullSteps, runsAlready } from '../docker/image-state.ts'
import type { ConfigMapChange, ObservedConfigMap } from '../kubernetes/config-map.ts'
import type { ObservedDaemonSet } from '../kubernetes/daemon-set.ts'
import { isFlexvol } from '../kubernetes/flexvol.ts'
import { CONFIG_ANNOTATION } from '../kubernetes/marks.ts'
import type { WholeTemplates } from '../kubernetes/observed-manifest.ts'
import {
  configEntry,
  containsAll,
  entriesFrom,
  imageEntry,
  imageName,
  imagesOf,
  manifestEntry,
  type TemplateEntry,
  type TemplateImage,
  valueIn,
} from '../kubernetes/template.ts'
import type { ObservedCni, ObservedImage, ObservedNode } from '../model.ts'
import { askedVersion, runningVersion } from '../release/node-versions.ts'
import type { DiffEntry } from '../report/report.ts'
import { configMapDiff, configName, keysBack, writtenKeys } from './config-map.ts'
import { imageAsked, imageDiff, oldContainer } from './container-swap.ts'
import { gateOf, type NodeInput } from './node.ts'
import { templateDiff } from './object-diff.ts'
import { type PlanPart, unchanged } from './part.ts'
import type { Change, Component, PlannedStep, StepArgs, SwappedImage } from './plan.ts'
import { changedImages, entriesAt } from './swapped-images.ts'

export interface DaemonSetInput extends NodeInput {
  daemonSet: ObservedDaemonSet
  /** The plugins that the DaemonSet installs; null if none are requested. */
  cni: ObservedCni | null
  /** The FlexVolume driver's image; null if none is requested. */
  flexvol: ObservedImage | null
  /** That the pod must be started with; null where it was, or if none is requested. */
  configMap: ObservedConfigMap | null
  /** The whole template; null where no manifest asks for another one. */
  manifest: WholeTemplates | null
}

/** What a run asks of the template. */
function templateEntries(input: DaemonSetInput, ref: string): TemplateEntry[] {
  const { configMap, manifest } = input
  const images = manifest ? imagesInBoth(input.daemonSet, manifest) : templateImages(input, ref)
  return [
    ...images.map(imageEntry),
    ...(configMap ? [configEntry(configMap.mark)] : []),
    ...(manifest ? [manifestEntry(manifest.mark)] : []),
  ]
}

/** What comes or goes with the whole template is told from what stays by its mark. */
function imagesInBoth({ template }: ObservedDaemonSet, { to }: WholeTemplates): TemplateImage[] {
  const isThere = ({ list, name }: TemplateImage): boolean =>
    template.some((one) => one.list === list && one.name === name)
  return imagesOf(to.spec).filter(isThere)
}

/** The images of a template that match the requested node and plugins. */
function templateImages(
  { daemonSet: { template }, node, cni, flexvol }: DaemonSetInput,
  ref: string,
): TemplateImage[] {
  const container = containerName(node)
  const current = template.find(({ list, name }) => list === 'containers' && name === container)?.image
  const next = (one: TemplateImage): string => {
    if (one.image === current || (one.list === 'containers' && one.name === container)) return ref
    if (imageName(one.image) === 'cni' && cni?.image) return cni.image.ref
    return flexvol && isFlexvol(one) ? flexvol.ref : one.image
  }
  return template.map((one) => ({ ...one, image: next(one) }))
}

/** The kubelet's label has the plain name; the container's full name includes the pod's. */
function containerName({ container }: Pick<ObservedNode, 'container'>): string {
  return container.Config.Labels?.['io.kubernetes.container.name'] ?? ''
}

/** Has the DaemonSet run `image` on this host: its template first, then this host's pod alone. */
export function daemonSetPart(input: DaemonSetInput, image: ObservedImage): PlanPart {
  const { node, daemonSet, cni, flexvol } = input
  const change = imageChange(node, image)
  const entries = templateEntries(input, image.ref)
  if (runsAlready(node, image) && isPodOf(input, entries)) return unchanged('node', change)
  return {
    component: 'node',
    change,
    prepare: [
      ...pullSteps('node', image),
      ...(cni?.image ? pullSteps('node', cni.image) : []),
      ...(flexvol ? pullSteps('node', flexvol) : []),
    ],
    ...partOf({ ...input, templates: input.manifest }, entries, {
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
    ...partOf(input, entries, { to: ref, version: runningVersion(node) }, component),
    diff: [...configMapDiff(input.configMap), ...entriesDiff(daemonSet, entries)],
  }
}

/** This host's pod has what an earlier run replaced. */
export function isPodBack({ pod }: ObservedDaemonSet, { images }: StepArgs['swap-pod']): boolean {
  return containsAll(podEntries(pod), entriesAt(images, 'from'))
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
    ...partOf({ ...input, templates, ...(configMap && { configMap }) }, back, target, component),
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

type Asked = 'cni' | 'flexvol' | 'configMap' | 'manifest'
type Templates = NonNullable<StepArgs['swap-pod']['templates']>

interface Changes {
  configMap?: ConfigMapChange | null
  templates?: Templates | null | undefined
}

function partOf(
  input: Omit<DaemonSetInput, Asked> & Changes,
  entries: TemplateEntry[],
  { to, version }: { to: string; version: string | null },
  component: Component = 'node',
): Pick<PlanPart, 'move' | 'commits' | 'after'> {
  const { daemonSet, node, run } = input
  const { namespace, name, pod } = daemonSet
  const set = { namespace, name }
  const args: StepArgs['swap-pod'] = {
    set,
    run,
    pod: { name: pod.name, uid: pod.uid, node: pod.node },
    container: containerName(node),
    images: entries.map((one) => swappedImage(daemonSet, one)),
    ...(input.configMap && { configMap: writtenKeys(input.configMap) }),
    ...(input.templates && { templates: wholeOf(input.templates) }),
    from: node.container.Config.Image,
    to,
    old: oldContainer(node, input.engineHostname),
    gate: gateOf(input, version),
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

function wholeDiff({ namespace, name }: ObservedDaemonSet, { was, to }: Templates): DiffEntry[] {
  return templateDiff(`daemonset ${namespace}/${name}`, was, to)
}

function podEntries({ images, ...marks }: ObservedDaemonSet['pod']): TemplateEntry[] {
  return entriesFrom(images, marks)
}

function entriesOfTemplate({ template, ...marks }: ObservedDaemonSet): TemplateEntry[] {
  return entriesFrom(template, marks)
}

function swappedImage(daemonSet: ObservedDaemonSet, entry: TemplateEntry): SwappedImage {
  const { list, name, value: to } = entry
  const was = valueIn(entriesOfTemplate(daemonSet), entry) ?? ''
  return { list, name, from: valueIn(podEntries(daemonSet.pod), entry) ?? was, was, to }
}

function isPodOf({ daemonSet, configMap }: DaemonSetInput, entries: TemplateEntry[]): boolean {
  const all = [podEntries(daemonSet.pod), entriesOfTemplate(daemonSet)]
  return configMap === null && all.every((present) => containsAll(present, entries))
}

function entriesDiff(daemonSet: ObservedDaemonSet, entries: TemplateEntry[]): DiffEntry[] {
  const { namespace, name } = daemonSet
  const now = entriesOfTemplate(daemonSet).filter((one) => valueIn(entries, one) !== undefined)
  const lines = (all: TemplateEntry[]): string =>
    all.flatMap((one) => (one.value === '' ? [] : [`${one.list}.${one.name}: ${one.value}\n`])).join('')
  const entry = { target: `daemonset ${namespace}/${name}`, before: lines(now), after: lines(entries) }
  return entry.before === entry.after ? [] : [entry]
}
