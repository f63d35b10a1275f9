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
  runtime,
}: StepArgs['swap-pod']): string[] {
  const { namespace, name } = set
  const kubectl = `kubectl -n ${namespace}`
  const imagesFrom = changedImages(images)
    .map((image) => `${image.name}=${image.from}`)
    .join(' ')
  const { list, kill } = runtime === undefined ? withDocker(container) : withCrictl(container)
  return [
    `check what exists: ${kubectl} get pods -o wide; ${kubectl} rollout history daemonset/${name}; ${list}`,
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
          `  ${kubectl} delete pod POD --wait=false; ${kill}`,
        ]),
    ...HELD_ROUTES,
  ]
}

/** How an operator finds the containers, and kills the one that runs. */
interface ByHand {
  list: string
  kill: string
}

function withDocker(container: string): ByHand {
  const of = `--filter label=io.kubernetes.container.name=${container}`
  return { list: `docker ps -a ${of}`, kill: `docker kill $(docker ps -q ${of})` }
}

/** It has no command that sends KILL. */
function withCrictl(container: string): ByHand {
  const pid = `crictl inspect -o go-template --template '{{.info.pid}}' $(crictl ps -q --name ${container})`
  return { list: `crictl ps -a --name ${container}`, kill: `kill -KILL $(${pid})` }
}

/** Their values may be secrets. */
function keysLine({ namespace, name, after }: ConfigMapChange): string {
  const keys = Object.keys(after).join(', ')
  return `kubectl -n ${namespace} edit configmap ${name}: restore ${keys}; the journal has the old values`
}
