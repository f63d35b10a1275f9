import { parseImageRef, repository } from '../docker/image-ref.ts'
import { imageChange, mustPull } from '../docker/image-state.ts'
import { known } from '../known.ts'
import {
  createdWith,
  type ObservedDaemonSet,
  replacedImages,
  rollingObjection,
} from '../kubernetes/daemon-set.ts'
import { imageName, type TemplateImage } from '../kubernetes/template.ts'
import type { Observed, ObservedCni, ObservedImage } from '../model.ts'
import { type Objection, type Rule, rulesOn } from './rule.ts'

interface Asked {
  set: ObservedDaemonSet
  image: ObservedImage | null
  cni: ObservedCni | null
  /** Images that are asked for by a name that this host's pod has already, and that mean another image now. */
  moved: string[]
}

/** The DaemonSet that keeps calico/node can be brought to the image. */
export const daemonSetRules: Rule[] = [
  ...rulesOn(
    ({ node }) => known(node?.daemonSet),
    [
      {
        code: 'daemonset-rolling',
        severity: 'error',
        deferrable: true,
        about: 'no rollout of the DaemonSet is in progress',
        seen: ({ strategy }) => `strategy ${strategy.type}`,
        check: (set) => (set.isRolling ? rollingObjection(set) : null),
      },
    ],
  ),
  ...rulesOn(asked, [
    {
      code: 'daemonset-tag-moved',
      severity: 'error',
      about: 'the tag in the DaemonSet has not moved to another image',
      seen: ({ image }) => image?.ref ?? 'no new image requested',
      check: movedTags,
    },
    {
      code: 'daemonset-plugins',
      severity: 'error',
      about: 'the DaemonSet can install the requested CNI plugins',
      seen: ({ cni }) => cni?.image?.ref ?? 'no new ones requested',
      check: pluginsObjection,
    },
  ]),
]

/** What a swap of the pod brings along. */
export const daemonSetSwapRules: Rule[] = [
  ...rulesOn(
    ({ node }) => known(node?.daemonSet),
    [
      {
        code: 'daemonset-pulls-always',
        severity: 'warning',
        about: 'the kubelet starts the pod without asking the registry',
        seen: ({ namespace, name }) => `no imagePullPolicy: Always in ${namespace}/${name}`,
        check: ({ namespace, name, pullsAlways = [] }) =>
          pullsAlways.length === 0
            ? null
            : {
                message: `DaemonSet ${namespace}/${name} makes the kubelet pull the image of ${pullsAlways.join(', ')} at each start: a pod cannot start while the registry does not answer, neither the new one nor the old one`,
                fix: 'set imagePullPolicy: IfNotPresent in the template, and use a tag other than latest',
              },
      },
    ],
  ),
  ...rulesOn(replacedByWebhook, [
    {
      code: 'daemonset-replaced',
      severity: 'warning',
      about: 'the pod runs the images that its template names',
      seen: ({ pod }) => `${pod.name} does`,
      check: replacedObjection,
    },
  ]),
  // a manifest brings all of it, and its diff shows it
  ...rulesOn(
    ({ node, manifest }) => (manifest ? null : known(node?.daemonSet)),
    [
      {
        code: 'daemonset-differs',
        severity: 'warning',
        about: 'a new pod differs only in its images',
        seen: ({ pod }) => `${pod.name} has the environment and the mounts of the template`,
        check: ({ namespace, name, pod, differences = [] }) =>
          differences.length === 0
            ? null
            : {
                message: `the template of DaemonSet ${namespace}/${name} has changed since pod ${pod.name} was created, and a new pod will have these changes: ${differences.join(', ')}; a rollback does not undo them`,
                fix: `check kubectl -n ${namespace} rollout history daemonset/${name}`,
              },
      },
    ],
  ),
]

function asked({ node, image, cni }: Observed): Asked | null {
  const set = known(node?.daemonSet)
  if (node === null || set === null) return null
  const isNodeMoved = image !== null && imageChange(node, image).tagMoved === true
  const isCniMoved = cni?.image?.local && mustPull(cni.image) && isOfPod(set, cni.image.ref)
  const moved = [isNodeMoved ? image : null, isCniMoved ? cni.image : null].flatMap((one) => one?.ref ?? [])
  return { set, image, cni, moved }
}

function isOfPod(set: ObservedDaemonSet, ref: string): boolean {
  return createdWith(set.pod).some((one) => one.image === ref)
}

/** Its pod installs the plugins of its own image at each start, and comes with the template's calico/node. */
function pluginsObjection({ set, image, cni }: Asked): Objection | null {
  if (cni === null || !set.template.some((one) => imageName(one.image) === 'cni')) return null
  const it = `DaemonSet ${set.namespace}/${set.name}`
  if (cni.image === null) {
    return {
      message: `cannot install the CNI plugins: a pod of ${it} installs those of its own image at each start`,
      fix: 'name an image of them: --cni IMAGE',
    }
  }
  if (image !== null || !bringsOtherNode(set)) return null
  return {
    message: `cannot install the CNI plugins alone: the template of ${it} has another calico/node than pod ${set.pod.name}`,
    fix: 'name the calico/node as well: --node IMAGE',
  }
}

/** A new pod comes with another calico/node than this host's has. */
export function bringsOtherNode(set: ObservedDaemonSet): boolean {
  return !createdWith(set.pod).every((one) => isSameNode(one, set))
}

/** Or is no container of calico/node's image at all. */
function isSameNode({ list, name, image }: TemplateImage, { template }: ObservedDaemonSet): boolean {
  if (list === 'initContainers') return true
  return template.some((one) => one.list === list && one.name === name && one.image === image)
}

/** The template would not change, and neither the DaemonSet nor the way back could tell the images apart. */
function movedTags({ set: { namespace, name, pod }, moved }: Asked): Objection[] {
  return moved.map((ref) => ({
    message: `cannot upgrade pod ${pod.name} of DaemonSet ${namespace}/${name}: it already names ${ref}, and that tag now points to another image`,
    fix: 'name the new image by its digest',
  }))
}

/** Null where the asked image is of the mirror already, which a webhook leaves alone. */
function replacedByWebhook({ node, image }: Observed): ObservedDaemonSet | null {
  const set = known(node?.daemonSet)
  const mirrors = set ? replacedImages(set).map(({ to }) => repository(parseImageRef(to))) : []
  return image !== null && mirrors.includes(repository(parseImageRef(image.ref))) ? null : set
}

/** What the agent pulls is not what the kubelet starts. */
function replacedObjection(set: ObservedDaemonSet): Objection | null {
  const [image] = replacedImages(set)
  if (image === undefined) return null
  const { namespace, name, pod } = set
  return {
    message: `pod ${pod.name} of DaemonSet ${namespace}/${name} runs ${image.to}, and its template names ${image.from}: an admission webhook probably replaced it; the kubelet may have to pull the replacement of a new image inside the window`,
    fix: 'name the images as the webhook does, for example with registry in the config: they are then pulled before the window',
  }
}
