import { parseImageRef, repository } from '../docker/image-ref.ts'
import type { Json } from '../json/merge-patch.ts'
import { CONFIG_ANNOTATION } from './config-map.ts'
import type { PodContainerSpec, PodSpec, PodTemplate } from './pod.ts'

/** The image of a container in a template, and which list it stands in. */
export interface TemplateImage extends PodContainerSpec {
  list: 'containers' | 'initContainers'
}

/** What a run sets in a template: the image of a container or, of `annotations`, the mark of the config. */
export interface TemplateEntry {
  list: TemplateImage['list'] | 'annotations'
  name: string
  /** Empty for an annotation that is not there. */
  value: string
}

export function imagesOf({ containers, initContainers = [] }: PodSpec): TemplateImage[] {
  const listed = (list: TemplateImage['list'], all: PodContainerSpec[]): TemplateImage[] =>
    all.map(({ name, image }) => ({ list, name, image }))
  return [...listed('initContainers', initContainers), ...listed('containers', containers)]
}

/** The config that pods of the template, or the pod itself, were started with; null where none is marked. */
export function configMarkOf({ metadata }: Pick<PodTemplate, 'metadata'>): string | null {
  return metadata?.annotations?.[CONFIG_ANNOTATION] ?? null
}

export function configEntry(mark: string | null | undefined): TemplateEntry {
  return { list: 'annotations', name: CONFIG_ANNOTATION, value: mark ?? '' }
}

export const imageEntry = ({ list, name, image }: TemplateImage): TemplateEntry => ({
  list,
  name,
  value: image,
})

/** Undefined where there is no such container. */
export function valueIn(entries: TemplateEntry[], { list, name }: Omit<TemplateEntry, 'value'>) {
  return entries.find((one) => one.list === list && one.name === name)?.value
}

export function hasEntries(template: PodTemplate, entries: TemplateEntry[]): boolean {
  return containsAll(entriesOf(template), entries)
}

export function containsAll(all: TemplateEntry[], entries: TemplateEntry[]): boolean {
  return entries.every((one) => all.some((other) => isSameEntry(one, other)))
}

export function entriesOf(template: PodTemplate): TemplateEntry[] {
  return entriesFrom(imagesOf(template.spec), configMarkOf(template))
}

export function entriesFrom(images: TemplateImage[], configMark?: string | null): TemplateEntry[] {
  return [...images.map(imageEntry), configEntry(configMark)]
}

function isSameEntry(one: TemplateEntry, other: TemplateEntry): boolean {
  return one.list === other.list && one.name === other.name && one.value === other.value
}

/** The strategic merge patch of the template that sets these entries; undefined where it has them already. */
export function entriesPatch(template: PodTemplate, entries: TemplateEntry[]): Json | undefined {
  const changed = entries.filter((one) => !hasEntries(template, [one]))
  const annotations = changed.filter(({ list }) => list === 'annotations')
  const lists = (['initContainers', 'containers'] as const)
    .map((list) => [list, containersPatch(changed.filter((one) => one.list === list))] as const)
    .filter(([, all]) => all.length > 0)
  if (changed.length === 0) return undefined
  return {
    ...(annotations.length > 0 && { metadata: { annotations: annotationsPatch(annotations) } }),
    ...(lists.length > 0 && { spec: Object.fromEntries(lists) }),
  }
}

/** Such a patch merges a list of containers by their names. */
function containersPatch(entries: TemplateEntry[]): Json[] {
  return entries.map(({ name, value }) => ({ name, image: value }))
}

function annotationsPatch(entries: TemplateEntry[]): Json {
  return Object.fromEntries(entries.map(({ name, value }) => [name, value === '' ? null : value]))
}

/** The image name alone, such as `node` of quay.io/calico/node:v3.16.0. */
export function imageName(image: string): string {
  return repository(parseImageRef(image)).split('/').at(-1) ?? ''
}
