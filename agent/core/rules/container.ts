import { looksLikeCalicoNode } from '../docker/calico-node.ts'
import type { ContainerJson } from '../docker/json.ts'
import { isHosted, type Owner } from '../model.ts'
import { type Objection, type Rule, rulesOn } from './rule.ts'

/** The container is there, and is the operator's own to replace. */
export const containerRules: Rule[] = [
  ...rulesOn(
    ({ node }, wanted) => ({ there: node !== null, name: wanted.node.container }),
    [
      {
        code: 'container-missing',
        severity: 'error',
        about: 'the calico/node container exists',
        seen: ({ name }) => `${name} is there`,
        check: ({ there, name }) =>
          there
            ? null
            : {
                message: `cannot upgrade ${name}: there is no such container`,
                fix: 'docker ps -a shows the names; set node.container in the config',
              },
      },
    ],
  ),
  ...rulesOn(
    ({ node }) => node && { name: nameOf(node.container), owner: node.owner, daemonSet: node.daemonSet },
    [
      {
        code: 'hosted-install',
        severity: 'error',
        about: 'Kubernetes does not host it, or the agent can change its DaemonSet',
        seen: ({ owner }) => (owner.kind === 'daemonset' ? owner.why : 'no label of Kubernetes'),
        check: ({ name, owner, daemonSet }) =>
          daemonSet && 'problem' in daemonSet ? daemonSet.problem : hosted(name, owner),
      },
    ],
  ),
  ...rulesOn(
    ({ node }) => (node?.daemonSet && 'pod' in node.daemonSet ? node.daemonSet : null),
    [
      {
        code: 'daemonset-rolling',
        severity: 'error',
        deferrable: true,
        about: 'the DaemonSet does not replace pods by itself',
        seen: ({ strategy }) => `strategy ${strategy.type}, no rollout in progress`,
        check: ({ namespace, name, isRolling }) =>
          isRolling
            ? {
                message: `cannot upgrade a pod of ${namespace}/${name}: the DaemonSet is replacing its pods by itself`,
                fix: `wait until it is done: kubectl -n ${namespace} rollout status daemonset/${name}`,
              }
            : null,
      },
    ],
  ),
  ...rulesOn(
    ({ node, otherNodes: [other] }) => (node && !isHosted(node.owner) ? { ...node.container, other } : null),
    [
      {
        code: 'not-calico-node',
        severity: 'error',
        allowable: true,
        about: 'it looks like calico/node, by its image or its program',
        seen: ({ Config }) => `runs ${Config.Image}`,
        check: (container) =>
          looksLikeCalicoNode(container)
            ? null
            : {
                message: `cannot upgrade ${nameOf(container)}: it runs ${container.Config.Image}, which does not look like calico/node`,
                fix: 'set node.container in the config',
              },
      },
      {
        code: 'node-not-running',
        severity: 'error',
        allowable: true,
        about: 'it runs: the new one is compared with it',
        seen: ({ State }) => State.Status,
        check: ({ Name, State, other }) =>
          State.Running
            ? null
            : {
                message: `cannot compare with ${nameOf({ Name })}: it is ${State.Status}`,
                fix: other
                  ? `do not start it beside ${other.name}, which runs: settle second-node first`
                  : `docker start ${nameOf({ Name })}`,
              },
      },
    ],
  ),
  ...rulesOn(
    ({ node }) => (node?.owner.kind === 'docker' && node.unit === null ? node.container : null),
    [
      {
        code: 'auto-remove',
        severity: 'warning',
        about: 'it outlives its own stop',
        seen: () => 'runs without --rm',
        check: ({ Name, HostConfig }) =>
          HostConfig.AutoRemove === true
            ? {
                message: `${nameOf({ Name })} runs with --rm: Docker removes it when it stops, so a rollback creates it again from its journaled settings`,
                fix: 'docker run without --rm, with --restart=always',
              }
            : null,
      },
      {
        code: 'no-restart-policy',
        severity: 'warning',
        about: 'it comes back after a reboot',
        // Docker takes no restart policy beside --rm, which has its own rule.
        seen: ({ HostConfig: { AutoRemove, RestartPolicy } }) =>
          AutoRemove === true ? 'none goes with --rm' : `restart policy ${RestartPolicy.Name}`,
        check: ({ Name, HostConfig }) =>
          HostConfig.AutoRemove === true || !['', 'no'].includes(HostConfig.RestartPolicy.Name)
            ? null
            : {
                message: `${nameOf({ Name })} has no restart policy: after a reboot of the host no calico/node comes up`,
                fix: `docker update --restart=always ${nameOf({ Name })}`,
              },
      },
    ],
  ),
]

function hosted(name: string, owner: Owner): Objection | null {
  if (owner.kind === 'kubelet') {
    return {
      message: `cannot upgrade ${name}: it belongs to Kubernetes (${owner.why})`,
      fix: 'name the cluster in the config: kubernetes (docs/hosted.md)',
    }
  }
  if (owner.kind !== 'static-pod') return null
  return {
    message: `cannot upgrade ${name}: it is a static pod (${owner.why}), and the kubelet would end BIRD by TERM: its peers would drop the routes at once`,
    fix: `drain this host, then change the image in ${owner.manifest}; or move calico/node to a unit that runs docker run`,
  }
}

function nameOf({ Name }: Pick<ContainerJson, 'Name'>): string {
  return Name.replace(/^\//, '')
}
