import type { Observed } from '../model.ts'
import { nodeRuns } from '../node-image.ts'
import { isInstalled } from '../plan/cni.ts'
import { staleConfig } from '../plan/config-map.ts'
import type { Wanted } from '../wanted.ts'
import { type Rule, rulesOn } from './rule.ts'

/** If something that this host's pods depend on changes, the Node is cordoned before. */
export const kubernetesRules: Rule[] = rulesOn(
  (observed, wanted) =>
    wanted.kubernetes?.cordon === true && observed.cluster && movesHost(observed, wanted)
      ? observed.cluster
      : null,
  [
    {
      code: 'kubernetes-unreachable',
      severity: 'error',
      allowable: true,
      about: 'this host can cordon its Node',
      seen: ({ node }) => (node ? `Node ${node.name}${node.unschedulable ? ', already cordoned' : ''}` : ''),
      check: ({ problem }) => problem,
    },
  ],
)

/** If nothing is requested, as in doctor, anything may. */
function movesHost(observed: Observed, { controllers, configMap }: Wanted): boolean {
  const { node, image, cni, cniConfig } = observed
  if ([image, cni, cniConfig, configMap].every((asked) => asked === null)) return controllers.image === null
  if (staleConfig(observed)) return true
  if (node !== null && image !== null && !nodeRuns(node, image)) return true
  if (cni !== null && !isInstalled(cni)) return true
  return cniConfig?.change != null && cniConfig.change.before !== cniConfig.change.after
}
