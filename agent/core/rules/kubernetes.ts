import { runsAlready } from '../docker/image-state.ts'
import type { Observed } from '../model.ts'
import { isInstalled } from '../plan/cni.ts'
import { type Rule, rulesOn } from './rule.ts'

/** Where what the pods of this host depend on changes: the Node is cordoned before. */
export const kubernetesRules: Rule[] = rulesOn(
  (observed, { kubernetes }) =>
    kubernetes?.cordon === true && observed.cluster && movesHost(observed) ? observed.cluster : null,
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

/** Where nothing is asked for, as by a doctor, anything may. */
function movesHost({ node, image, cni, cniConfig, controllersImage }: Observed): boolean {
  if (image === null && cni === null && cniConfig === null) return controllersImage === null
  if (node !== null && image !== null && !runsAlready(node, image)) return true
  if (cni !== null && !isInstalled(cni)) return true
  return cniConfig?.change != null && cniConfig.change.before !== cniConfig.change.after
}
