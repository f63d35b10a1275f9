import { looksLikeCalicoNode } from '../docker/calico-node.ts'
import type { ContainerJson } from '../docker/json.ts'
import { hasBirdOfHost } from '../docker/second-node.ts'
import type { Observed } from '../model.ts'
import { commandIn } from '../pod/command-in.ts'
import { podContainer } from '../pod/static-pod.ts'
import { type Objection, type Rule, rulesOn } from './rule.ts'

/**
 * Two calico-nodes on one host take each other's BGP port and control socket: no change until one is gone.
 * Where the config names something else, the one that runs is not a second one: `not-calico-node` says so.
 */
export const secondNodeRules: Rule[] = rulesOn(
  ({ node, otherNodes: others }) =>
    node && (looksLikeCalicoNode(node.container) || hasBirdOfHost(placeOf(node.container)))
      ? { container: node.container, others }
      : null,
  [
    {
      code: 'second-node',
      severity: 'error',
      about: 'no other calico/node runs on this host',
      seen: ({ container }) => `only ${container.Name.replace(/^\//, '')}`,
      check: ({ container, others }) => secondNode(container, others),
    },
  ],
)

function placeOf({ HostConfig, Mounts }: ContainerJson) {
  return {
    networkMode: HostConfig.NetworkMode,
    mounts: Mounts.map(({ Destination, RW }) => ({ target: Destination, writable: RW })),
  }
}

/** The operator must find out which of them works. */
function secondNode(container: ContainerJson, others: Observed['otherNodes']): Objection | null {
  const [other] = others
  if (other === undefined) return null
  const isOfPod = podContainer(container.Config.Labels ?? {}) !== null
  const names = others.map(({ id, name, image }) => `${name} (${id.slice(0, 12)}, ${image})`).join(', ')
  const own = container.Name.replace(/^\//, '')
  return {
    message: `cannot upgrade ${own}: another calico/node runs on this host: ${names}; ${own} is ${container.State.Status}`,
    fix: isOfPod
      ? `find the one whose sessions are up (${commandIn(container, 'birdcl show protocols')}), and remove what keeps the other: kubectl get daemonsets -A`
      : container.State.Running
        ? `find the one whose sessions are up (docker exec CONTAINER birdcl show protocols), and remove the other with docker rm -f; if ${own} stays, docker kill ${own}; docker start ${own}`
        : `to keep ${other.name}: docker rm ${own}; docker rename ${other.name} ${own}; docker update --restart=always ${own}; do not start a second one`,
  }
}
