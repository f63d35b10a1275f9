import { parseImageRef, repository } from '../docker/image-ref.ts'
import type { Json } from '../json/merge-patch.ts'
import { isSameJson } from '../json/same.ts'
import { CONFIG_ANNOTATION, MANIFEST_ANNOTATION, type Marks, marksOf } from './marks.ts'
import type { PodContainerSpec, PodSpec, PodTemplate } from './pod.ts'

/** The image of a container in a template, and which list it stands in. */
export interface TemplateImage extends PodContainerSpec {
  list: 'containers' | 'initContainers'
}

/** What a run sets in a template: the image of a container or, of `annotations`, a mark. */
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

export function configEntry(mark: string | null | undefined): TemplateEntry {
  return { list: 'annotations', name: CONFIG_ANNOTATION, value: mark ?? '' }
}

export function manifestEntry(mark: string | null | undefined): TemplateEntry {
  return { list: 'annotations', name: MANIFEST_ANNOTATION, value: mark ?? '' }
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
  return entriesFrom(imagesOf(template.spec), marksOf(template))
}

export function entriesFrom(images: TemplateImage[], marks: Marks): TemplateEntry[] {
  return [...images.map(imageEntry), ...markEntries(marks)]
}

export function markEntries({ config, manifest }: Marks): TemplateEntry[] {
  return [configEntry(config), manifestEntry(manifest)]
}

function isSameEntry(one: TemplateEntry, other: TemplateEntry): boolean {
  return one.list === other.list && one.name === other.name && one.value === other.value
}

/** The strategic merge patch of the template that sets these entries; undefined where it has them already. */
function entriesPatch(template: PodTemplate, entries: TemplateEntry[]): Json | undefined {
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

/** What a template shall have: these entries and, where it is replaced as a whole, all else of it. */
export interface TemplateChange {
  entries: TemplateEntry[]
  whole?: PodTemplate | undefined
}

/** The strategic merge patch of the template for the change; undefined where it has the entries already. */
export function changePatch(template: PodTemplate, { entries, whole }: TemplateChange): Json | undefined {
  if (whole === undefined) return entriesPatch(template, entries)
  if (hasEntries(template, entries)) return undefined
  return replacing(withMarks(whole, entries))
}

/** For a strategic merge patch: nothing of what is there stays. */
export function replacing(template: PodTemplate): Json {
  return { ...(template as unknown as { [field: string]: Json }), $patch: 'replace' }
}

function withMarks({ metadata, ...template }: PodTemplate, entries: TemplateEntry[]): PodTemplate {
  const marks = entries.filter(({ list }) => list === 'annotations').map(({ name, value }) => [name, value])
  const all = { ...metadata?.annotations, ...(Object.fromEntries(marks) as Record<string, string>) }
  const annotations = Object.fromEntries(
    Object.entries(all).filter(([name, value]) => !isMark(name) || value !== ''),
  )
  return { ...template, metadata: { ...metadata, annotations } }
}

/** But for their marks. */
export function isSameTemplate(one: PodTemplate, other: PodTemplate): boolean {
  return isSameJson(withoutMarks(one), withoutMarks(other))
}

function withoutMarks({ metadata = {}, ...template }: PodTemplate): PodTemplate {
  const { annotations = {}, ...rest } = metadata
  const own = Object.entries(annotations).filter(([name]) => !isMark(name))
  return {
    ...template,
    metadata: { ...rest, ...(own.length > 0 && { annotations: Object.fromEntries(own) }) },
  }
}

function isMark(annotation: string): boolean {
  return [CONFIG_ANNOTATION, MANIFEST_ANNOTATION].includes(annotation)
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
