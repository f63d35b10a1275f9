import type { ObservedConfigMap } from '../kubernetes/config-map.ts'
import { createdWith, type ObservedDaemonSet } from '../kubernetes/daemon-set.ts'
import { isFlexvol } from '../kubernetes/flexvol.ts'
import type { WholeTemplates } from '../kubernetes/observed-manifest.ts'
import type { PodTemplate } from '../kubernetes/pod.ts'
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
import type { DiffEntry } from '../report/report.ts'
import type { NodeInput } from './node.ts'
import type { SwappedImage } from './plan.ts'

export interface DaemonSetInput extends NodeInput {
  daemonSet: ObservedDaemonSet
  /** The plugins that the DaemonSet installs; null if none are requested. */
  cni: ObservedCni | null
  /** The FlexVolume driver's image; null if none is requested. */
  flexvol: ObservedImage | null
  /** That the pod must be started with; null where it was, or if none is requested. */
  configMap: ObservedConfigMap | null
  /** Of the config that a manifest brings along, whether this host's pod has it or not; undefined where it brings none. */
  configMark?: string | undefined
  /** The whole template; null where no manifest asks for another one. */
  manifest: WholeTemplates | null
}

/** What a run asks of the template. */
export function templateEntries(input: DaemonSetInput, ref: string): TemplateEntry[] {
  const { configMap, configMark, manifest } = input
  const mark = manifest ? configMark : configMap?.mark
  const images = manifest ? imagesInAll(input.daemonSet, manifest) : templateImages(input, ref)
  return [
    ...images.map(imageEntry),
    ...(mark === undefined ? [] : [configEntry(mark)]),
    ...(manifest ? [manifestEntry(manifest.mark)] : []),
  ]
}

/** What comes or goes with the whole template is told from what stays by its mark. */
function imagesInAll({ template, pod }: ObservedDaemonSet, { to }: WholeTemplates): TemplateImage[] {
  const isIn = (all: TemplateImage[], { list, name }: TemplateImage): boolean =>
    all.some((one) => one.list === list && one.name === name)
  return imagesOf(to.spec).filter((one) => isIn(template, one) && isIn(pod.images, one))
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
export function containerName({ container }: Pick<ObservedNode, 'container'>): string {
  return container.Config.Labels?.['io.kubernetes.container.name'] ?? ''
}

/** With its own images or, in their place, those that it was made from. */
export function podEntries(pod: ObservedDaemonSet['pod'], images = pod.images): TemplateEntry[] {
  return entriesFrom(images, pod)
}

export function entriesOfTemplate({ template, ...marks }: ObservedDaemonSet): TemplateEntry[] {
  return entriesFrom(template, marks)
}

/** `from` is of the template that this host's pod was made from, where a manifest has it looked up. */
export function swappedImage(
  daemonSet: ObservedDaemonSet,
  entry: TemplateEntry,
  template?: PodTemplate,
): SwappedImage {
  const { list, name, value: to } = entry
  const was = valueIn(entriesOfTemplate(daemonSet), entry) ?? ''
  const images = template ? imagesOf(template.spec) : createdWith(daemonSet.pod)
  const from = valueIn(podEntries(daemonSet.pod, images), entry) ?? was
  const admitted = valueIn(podEntries(daemonSet.pod), entry) ?? from
  return { list, name, from, was, to, ...(admitted !== from && { admitted }) }
}

export function isPodOf({ daemonSet, configMap }: DaemonSetInput, entries: TemplateEntry[]): boolean {
  const created = podEntries(daemonSet.pod, createdWith(daemonSet.pod))
  const all = [created, entriesOfTemplate(daemonSet)]
  return configMap === null && all.every((present) => containsAll(present, entries))
}

export function entriesDiff(daemonSet: ObservedDaemonSet, entries: TemplateEntry[]): DiffEntry[] {
  const { namespace, name } = daemonSet
  const now = entriesOfTemplate(daemonSet).filter((one) => valueIn(entries, one) !== undefined)
  const lines = (all: TemplateEntry[]): string =>
    all.flatMap((one) => (one.value === '' ? [] : [`${one.list}.${one.name}: ${one.value}\n`])).join('')
  const entry = { target: `daemonset ${namespace}/${name}`, before: lines(now), after: lines(entries) }
  return entry.before === entry.after ? [] : [entry]
}
