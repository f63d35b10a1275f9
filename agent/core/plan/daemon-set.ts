import { imageVersion } from '../docker/health.ts'
import { tagOf } from '../docker/image-ref.ts'
import { imageChange, pullSteps, runsAlready } from '../docker/image-state.ts'
import { imageName, isSame, type ObservedDaemonSet, type TemplateImage } from '../kubernetes/daemon-set.ts'
import { isFlexvol } from '../kubernetes/flexvol.ts'
import type { ObservedCni, ObservedImage, ObservedNode } from '../model.ts'
import { askedVersion, runningVersion } from '../release/node-versions.ts'
import type { DiffEntry } from '../report/report.ts'
import { imageAsked, imageDiff, oldContainer } from './container-swap.ts'
import { gateOf, type NodeInput } from './node.ts'
import { type PlanPart, unchanged } from './part.ts'
import type { Change, Component, PlannedStep, StepArgs, SwappedImage } from './plan.ts'

export interface DaemonSetInput extends NodeInput {
  daemonSet: ObservedDaemonSet
  /** The plugins that the DaemonSet installs; null if none are requested. */
  cni: ObservedCni | null
  /** The FlexVolume driver's image; null if none is requested. */
  flexvol: ObservedImage | null
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
  const images = templateImages(input, image.ref)
  if (runsAlready(node, image) && isPodOf(daemonSet, images)) return unchanged('node', change)
  return {
    component: 'node',
    change,
    prepare: [
      ...pullSteps('node', image),
      ...(cni?.image ? pullSteps('node', cni.image) : []),
      ...(flexvol ? pullSteps('node', flexvol) : []),
    ],
    ...partOf(input, images, { to: image.ref, version: askedVersion(image) }),
    diff: [
      ...templateDiff(daemonSet, images),
      ...imageDiff(oldContainer(node, input.engineHostname), node, imageAsked(image)),
    ],
  }
}

/** Has the DaemonSet install the plugins of an image on this host, with calico/node as it is. */
export function pluginsPart(input: DaemonSetInput, change: Change): PlanPart {
  const { node, daemonSet, cni } = input
  const { Image: ref } = node.container.Config
  const images = templateImages(input, ref)
  if (isPodOf(daemonSet, images)) return unchanged('cni', change)
  return {
    component: 'cni',
    change,
    prepare: cni?.image ? pullSteps('cni', cni.image) : [],
    ...partOf(input, images, { to: ref, version: runningVersion(node) }, 'cni'),
    diff: templateDiff(daemonSet, images),
  }
}

/** This host's pod has the images that an earlier run replaced. */
export function isPodBack({ pod }: ObservedDaemonSet, { images }: StepArgs['swap-pod']): boolean {
  return images.every((one) => pod.images.some((other) => isSame({ ...one, image: one.from }, other)))
}

/** Has the DaemonSet run what an earlier run replaced here; `missing` are the images that this host lost since. */
export function daemonSetBackPart(
  input: Omit<DaemonSetInput, 'cni' | 'flexvol'>,
  { from, to, images, old }: StepArgs['swap-pod'],
  missing: string[],
): PlanPart {
  const back = images.map(({ from: image, list, name }) => ({ list, name, image }))
  const target = { to: from, version: imageVersion(tagOf(from), null) }
  const plugins = from === to ? images.find((one) => one.from !== one.to) : undefined
  const component = plugins ? 'cni' : 'node'
  return {
    component,
    change: { from: plugins?.to ?? to, to: plugins?.from ?? from },
    prepare: missing.map((image): PlannedStep => {
      const args = { image, ...(image === from && { id: old.imageId }) }
      return { kind: 'pull-image', component, args }
    }),
    ...partOf(input, back, target, component),
    diff: templateDiff(input.daemonSet, back),
  }
}

function partOf(
  input: Pick<DaemonSetInput, 'daemonSet' | 'engineHostname' | 'node' | 'run' | 'wanted'>,
  images: TemplateImage[],
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
    images: images.map((one) => swappedImage(daemonSet, one)),
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

function swappedImage(
  { pod, template }: ObservedDaemonSet,
  { list, name, image: to }: TemplateImage,
): SwappedImage {
  const isIt = (one: TemplateImage): boolean => one.list === list && one.name === name
  const was = template.find(isIt)?.image ?? ''
  return { list, name, from: pod.images.find(isIt)?.image ?? was, was, to }
}

function isPodOf({ pod, template }: ObservedDaemonSet, images: TemplateImage[]): boolean {
  const all = (present: TemplateImage[]) => images.every((one) => present.some((other) => isSame(one, other)))
  return all(pod.images) && all(template)
}

function templateDiff(
  { namespace, name, template }: ObservedDaemonSet,
  images: TemplateImage[],
): DiffEntry[] {
  const lines = (all: TemplateImage[]): string =>
    all.map((one) => `${one.list}.${one.name}: ${one.image}\n`).join('')
  const entry = { target: `daemonset ${namespace}/${name}`, before: lines(template), after: lines(images) }
  return entry.before === entry.after ? [] : [entry]
}
