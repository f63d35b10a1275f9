import { RECREATE } from '../../kubernetes/deployment.ts'
import type { StepArgs } from '../plan.ts'

/** With Recreate the cluster runs one at most, whichever image it is. */
export function deploymentLines(args: StepArgs['swap-deployment']): string[] {
  const { deployment, container, from, to, strategy, config, manifest } = args
  const kubectl = `kubectl -n ${deployment.namespace}`
  const image = (ref: string) => `  ${kubectl} set image deployment/${deployment.name} ${container}=${ref}`
  const restored = `  once they run, to have ${strategy} again: ${kubectl} edit deployment ${deployment.name}`
  return [
    `see the controllers: ${kubectl} describe deployment ${deployment.name}; ${kubectl} get pods -o wide`,
    'to put the old ones back:',
    config || manifest ? `  ${kubectl} rollout undo deployment/${deployment.name}` : image(from),
    ...(strategy === RECREATE ? [] : [restored]),
    'to keep the new ones:',
    ...(manifest ? [] : [image(to)]),
    `  ${kubectl} rollout status deployment/${deployment.name}`,
  ]
}
