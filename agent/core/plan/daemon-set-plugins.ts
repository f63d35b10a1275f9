import { known } from '../known.ts'
import { createdWith, type ObservedDaemonSet } from '../kubernetes/daemon-set.ts'
import { imageName } from '../kubernetes/template.ts'
import type { Observed } from '../model.ts'
import type { Change } from './plan.ts'

/** The DaemonSet that has a container which installs the plugins at each start of its pod; null where none has. */
export function pluginInstaller({ node }: Pick<Observed, 'node'>): ObservedDaemonSet | null {
  const set = known(node?.daemonSet)
  return set?.template.some((one) => imageName(one.image) === 'cni') === true ? set : null
}

/** From the image that this host's pod installed the plugins from to the one asked for; null where none is asked for. */
export function pluginsChange(observed: Pick<Observed, 'node' | 'cni'>): Change | null {
  const set = pluginInstaller(observed)
  const to = observed.cni?.image?.ref
  if (set === null || to === undefined) return null
  return { from: createdWith(set.pod).find((one) => imageName(one.image) === 'cni')?.image ?? '', to }
}
