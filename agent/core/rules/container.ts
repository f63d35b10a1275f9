import { looksLikeCalicoNode } from '../docker/calico-node.ts'
import type { ContainerJson } from '../docker/json.ts'
import { isHosted, type Observed, type ObservedNode, type Owner } from '../model.ts'
import { type Objection, type Rule, rulesOn } from './rule.ts'

/** The DaemonSet is replacing the pod of this host: what else is seen of the pod that ends passes with it. */
export const REPLACING: readonly string[] = ['daemonset-rolling', 'pod-gone', 'pod-starting']

/** The container exists, and the operator may replace it. */
export const containerRules: Rule[] = [
  ...rulesOn(
    ({ node, engine, problems }, wanted) => ({
      there: node !== null,
      name: wanted.node.container,
      runtime: engine.runtime,
      coming: problems.find(({ code }) => REPLACING.includes(code)),
    }),
    [
      {
        code: 'container-missing',
        severity: 'error',
        about: 'the calico/node container exists',
        seen: ({ name }) => name,
        check: ({ there, coming, ...named }) => (there ? null : (coming ?? missing(named))),
      },
    ],
  ),
  ...rulesOn(
    ({ node }) => node && { name: nameOf(node.container), owner: node.owner, daemonSet: node.daemonSet },
    [
      {
        code: 'hosted-install',
        severity: 'error',
        about: ({ owner }) =>
          owner.kind === 'daemonset'
            ? 'the agent can change the DaemonSet of calico/node'
            : 'calico/node is not managed by Kubernetes',
        seen: ({ owner }) => (owner.kind === 'daemonset' ? owner.why : 'no Kubernetes label'),
        check: ({ name, owner, daemonSet }) =>
          daemonSet ? unchangeable(name, daemonSet) : hosted(name, owner),
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
        about: 'the container looks like calico/node',
        seen: ({ Config }) => Config.Image,
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
        about: 'the container is running',
        seen: ({ State }) => `since ${State.StartedAt.replace(/\.\d+/, '')}`,
        check: ({ Name, State, other }) =>
          State.Running
            ? null
            : {
                message: `cannot compare the new node with ${nameOf({ Name })}: it is ${State.Status}`,
                fix: other
                  ? `resolve second-node first: do not start it while ${other.name} runs`
                  : `docker start ${nameOf({ Name })}`,
              },
      },
    ],
  ),
  ...rulesOn(keptByDocker, [
    {
      code: 'auto-remove',
      severity: 'warning',
      about: 'the container survives a stop',
      seen: () => 'no --rm',
      check: ({ Name, HostConfig }) =>
        HostConfig.AutoRemove === true
          ? {
              message: `${nameOf({ Name })} runs with --rm: Docker removes it when it stops, so a rollback recreates it from the journal`,
              fix: 'recreate it without --rm and with --restart=always',
            }
          : null,
    },
  ]),
  ...rulesOn(
    // Docker accepts no restart policy together with --rm, which has its own rule.
    (observed) => {
      const container = keptByDocker(observed)
      return container?.HostConfig.AutoRemove === true ? null : container
    },
    [
      {
        code: 'no-restart-policy',
        severity: 'warning',
        about: 'the container starts again after a reboot',
        seen: ({ HostConfig: { RestartPolicy } }) => `restart policy ${RestartPolicy.Name}`,
        check: ({ Name, HostConfig }) =>
          !['', 'no'].includes(HostConfig.RestartPolicy.Name)
            ? null
            : {
                message: `${nameOf({ Name })} has no restart policy: it does not start after a reboot`,
                fix: `docker update --restart=always ${nameOf({ Name })}`,
              },
      },
    ],
  ),
]

/** Beside a kubelet with another runtime, nobody looks for a container of Docker's that does not run. */
function missing({ name, runtime }: Named): Objection {
  return runtime === undefined
    ? {
        message: `cannot upgrade ${name}: there is no such container`,
        fix: 'docker ps -a shows the names; set node.container in the config',
      }
    : {
        message: `cannot upgrade ${name}: no pod of this host has such a container, and the container runtime is ${runtime}: without Docker, the agent upgrades only the pod of a DaemonSet`,
        fix: 'crictl ps -a shows the names; set node.container in the config',
      }
}

interface Named {
  name: string
  runtime: string | undefined
}

function keptByDocker({ node }: Observed): ContainerJson | null {
  return node?.owner.kind === 'docker' && node.unit === null ? node.container : null
}

function unchangeable(name: string, set: NonNullable<ObservedNode['daemonSet']>): Objection | null {
  if ('problem' in set) return set.problem
  if (set.keeper === undefined) return null
  return {
    message: `cannot upgrade ${name}: ${set.keeper} keeps DaemonSet ${set.namespace}/${set.name}, and would put the old image back`,
    fix: `change the image in ${set.keeper}`,
  }
}

function hosted(name: string, owner: Owner): Objection | null {
  if (owner.kind === 'kubelet') {
    return {
      message: `cannot upgrade ${name}: Kubernetes manages it (${owner.why})`,
      fix: 'set kubernetes in the config, so that the agent can reach the cluster (docs/hosted.md)',
    }
  }
  if (owner.kind !== 'static-pod') return null
  return {
    message: `cannot upgrade ${name}: it is a static pod (${owner.why}), and the kubelet stops BIRD with TERM: its peers would drop the routes at once`,
    fix: `drain this host, then change the image in ${owner.manifest}; or run calico/node with docker run from a systemd unit`,
  }
}

function nameOf({ Name }: Pick<ContainerJson, 'Name'>): string {
  return Name.replace(/^\//, '')
}
