import { tagOf } from '../docker/image-ref.ts'
import { configReadsOf } from '../kubernetes/config-map.ts'
import { type PodObject, REVISION_LABEL } from '../kubernetes/pod.ts'
import { entriesOf, valueIn } from '../kubernetes/template.ts'
import type { StepArgs, SwappedImage } from './plan.ts'

type SwapPod = Pick<StepArgs['swap-pod'], 'pod' | 'images' | 'configMap'>

/**
 * Why a pod was not made from the template and the config that the run wrote, as text; null where it was. A controller or a
 * kubelet that knows of a change late uses what was there before. `env`: what calico/node was started with, null where that
 * is not known.
 */
export function whyOfOther(pod: PodObject, args: SwapPod, env: string[] | null): string | null {
  if (isOfOldRevision(pod, args)) return 'its controller made it from the old template'
  const present = entriesOf(pod)
  for (const one of args.images) {
    const value = valueIn(present, one) ?? ''
    if (!isAsked(one, value)) return `its ${one.name} has ${value || 'no value'}, not ${one.to || 'none'}`
  }
  return env && whyOldConfig(pod, args, env)
}

/** An admission webhook may have changed the images, not the revision; a pod of the asked images has that one already. */
function isOfOldRevision(
  { metadata: { labels } }: PodObject,
  { pod: { revision }, images }: SwapPod,
): boolean {
  const isOther = images.some(({ was, to }) => was !== to) && images.some(({ from, to }) => from !== to)
  return isOther && revision !== undefined && labels?.[REVISION_LABEL] === revision
}

/** Or the same release of another registry, or by its digest: an admission webhook may have put it in its place. */
function isAsked({ list, to }: SwappedImage, value: string): boolean {
  if (value === to || list === 'annotations') return value === to
  const tags = [tagOf(value), tagOf(to)]
  return tags.includes(null) || tags[0] === tags[1]
}

function whyOldConfig({ spec }: PodObject, { configMap }: SwapPod, env: string[]): string | null {
  if (!configMap) return null
  const { namespace, name, after } = configMap
  const other = configReadsOf({ containers: spec.containers }).keys.find(({ variable, map, key }) => {
    const asked = map === name ? after[key] : undefined
    const isSet = env.some((one) => one.startsWith(`${variable}=`))
    return asked != null && isSet && !env.includes(`${variable}=${asked}`)
  })
  return other ? `its ${other.variable} is not what ConfigMap ${namespace}/${name} has` : null
}
