import type { ConfigMapChange } from '../../kubernetes/config-map.ts'
import type { StepArgs } from '../plan.ts'
import { changedImages } from '../swapped-images.ts'
import { HELD_ROUTES } from './container.ts'

/** The template decides which pod comes next; the KILL keeps BIRD from ending its sessions. */
export function podLines({
  set,
  container,
  pod,
  images,
  configMap,
  templates,
}: StepArgs['swap-pod']): string[] {
  const { namespace, name } = set
  const kubectl = `kubectl -n ${namespace}`
  const imagesFrom = changedImages(images)
    .map((image) => `${image.name}=${image.from}`)
    .join(' ')
  const running = `docker ps -q --filter label=io.kubernetes.container.name=${container}`
  return [
    `check what exists: ${kubectl} get pods -o wide; ${kubectl} rollout history daemonset/${name}; docker ps -a --filter label=io.kubernetes.container.name=${container}`,
    `the old pod of this host was ${pod.name}; to keep the new one, if its sessions are Established, do nothing`,
    ...(imagesFrom === '' && !configMap && !templates
      ? []
      : [
          `to put the old pod back, but not while birdcl show status in it reports a recovery:`,
          ...(configMap ? [`  ${keysLine(configMap)}`] : []),
          ...(imagesFrom === '' || templates
            ? []
            : [`  ${kubectl} set image daemonset/${name} ${imagesFrom}`]),
          ...(templates
            ? [
                `  ${kubectl} rollout undo daemonset/${name} --to-revision N, the number of the old template: ${kubectl} rollout history daemonset/${name}`,
              ]
            : []),
          `  ${kubectl} delete pod POD --wait=false; docker kill $(${running})`,
        ]),
    ...HELD_ROUTES,
  ]
}

/** Their values may be secrets. */
function keysLine({ namespace, name, after }: ConfigMapChange): string {
  const keys = Object.keys(after).join(', ')
  return `kubectl -n ${namespace} edit configmap ${name}: restore ${keys}; the journal has the old values`
}
