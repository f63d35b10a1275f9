import type { StepArgs } from '../plan.ts'
import { HELD_ROUTES } from './container.ts'

/** The template decides which pod comes next; the KILL keeps BIRD from ending its sessions. */
export function podLines({ set, container, pod, images }: StepArgs['swap-pod']): string[] {
  const { namespace, name } = set
  const kubectl = `kubectl -n ${namespace}`
  const imagesFrom = images
    .filter(({ from, to }) => from !== to)
    .map((image) => `${image.name}=${image.from}`)
    .join(' ')
  const running = `docker ps -q --filter label=io.kubernetes.container.name=${container}`
  return [
    `check what exists: ${kubectl} get pods -o wide; ${kubectl} rollout history daemonset/${name}; docker ps -a --filter label=io.kubernetes.container.name=${container}`,
    `the old pod of this host was ${pod.name}; to keep the new one, if its sessions are Established, do nothing`,
    ...(imagesFrom === ''
      ? []
      : [
          `to put the old images back, but not while birdcl show status in it reports a recovery:`,
          `  ${kubectl} set image daemonset/${name} ${imagesFrom}`,
          `  ${kubectl} delete pod POD --wait=false; docker kill $(${running})`,
        ]),
    ...HELD_ROUTES,
  ]
}
