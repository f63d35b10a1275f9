import { birdBaseline } from './bird-phase.ts'
import type { BirdUp } from './bird-view.ts'
import { cniConfigProblems } from './cni-config-plan.ts'
import { isInstalled } from './cni-plan.ts'
import { cniProblems } from './cni-preflight.ts'
import { AgentError, ExitCode, type Problem } from './errors.ts'
import { runsAlready } from './image-state.ts'
import type { Observed, ObservedImage, ObservedNode, Wanted } from './model.ts'
import { nodeUnitChange } from './unit-plan.ts'

/** Rules that `--allow` can override, each with what it costs. */
const OVERRIDABLE = {
  'not-calico-node': 'the container does not look like calico/node',
  'node-not-running': 'the old container does not run: nothing to compare the new one with',
  'bird-down': 'BIRD gives no baseline: only the container is gated',
  'bird-recovering': 'a recovery is in progress: a restart now makes the peers delete the routes',
  'cni-needs-nodename': 'CNI plugins of v3.1 or later fail every pod without the nodename file',
  'peer-not-restart-aware': 'a peer without graceful restart drops the routes as soon as BIRD dies',
  'cni-config-shadowed': 'the kubelet takes another CNI config, which may still lead to Calico (Multus)',
} as const

type Overridable = keyof typeof OVERRIDABLE

/** @throws AgentError `unknown-rule` (exit 2) */
export function checkAllowed(rules: string[]): void {
  const unknown = rules.find((rule) => !Object.hasOwn(OVERRIDABLE, rule))
  if (unknown === undefined) return
  throw new AgentError('unknown-rule', `cannot allow "${unknown}": there is no such rule`, {
    fix: `rules: ${Object.keys(OVERRIDABLE).join(', ')}`,
    exitCode: ExitCode.usage,
  })
}

/** Every problem of the host that stands against a swap; overridden ones become warnings. */
export function preflight(observed: Observed, wanted: Wanted): Problem[] {
  const { cniConfig } = observed
  const problems = [
    ...swapProblems(observed, wanted),
    ...cniImageProblems(observed),
    ...cniProblems(observed, wanted.cni),
    ...(cniConfig === null
      ? []
      : cniConfigProblems(cniConfig, wanted.cniConfig, stagedNames(observed, wanted))),
  ]
  return problems.map((problem) => overridden(problem, wanted))
}

function swapProblems({ node, image, engine, problems: seen }: Observed, wanted: Wanted): Problem[] {
  if (image === null) return []
  const problems = node ? nodeProblems(node, image.ref) : [missing(wanted)]
  // What BIRD shows stands against a swap only; a host that runs the image already needs none.
  if (node && !runsAlready(node, image)) problems.push(...birdProblems(node), ...seen)
  return [...problems, ...imageProblems(image, engine)]
}

/** The same for a rollback, whose image needs no look: it ran here before. */
export function preflightRollback(node: ObservedNode | null, seen: Problem[], wanted: Wanted): Problem[] {
  const image = wanted.node.image ?? ''
  const problems = node ? [...nodeProblems(node, image), ...birdProblems(node), ...seen] : [missing(wanted)]
  return problems.map((problem) => overridden(problem, wanted))
}

function overridden(problem: Problem, { allow }: Wanted): Problem {
  if (!allow.includes(problem.code) || !Object.hasOwn(OVERRIDABLE, problem.code)) return problem
  return { ...problem, severity: 'warning', message: `${problem.message} (allowed)` }
}

function missing(wanted: Wanted): Problem {
  const { container } = wanted.node
  return error(
    'container-missing',
    `cannot upgrade ${container}: there is no such container`,
    'docker ps -a shows the names; set node.container in the config',
  )
}

function nodeProblems(node: ObservedNode, image: string): Problem[] {
  const { container, owner } = node
  const name = container.Name.replace(/^\//, '')
  if (owner.kind === 'kubelet') {
    return [
      error(
        'hosted-install',
        `cannot upgrade ${name}: it belongs to Kubernetes (${owner.why})`,
        'upgrade a hosted Calico through its DaemonSet: kubectl -n kube-system set image daemonset/calico-node ...',
      ),
    ]
  }
  const problems: Problem[] = []
  if (!looksLikeCalicoNode(container)) {
    problems.push(
      overridable(
        'not-calico-node',
        `cannot upgrade ${name}: it runs ${container.Config.Image}, which does not look like calico/node`,
        'set node.container in the config',
      ),
    )
  }
  if (!container.State.Running) {
    problems.push(
      overridable(
        'node-not-running',
        `cannot compare with ${name}: it is ${container.State.Status}`,
        `docker start ${name}`,
      ),
    )
  }
  return [...problems, ...(node.unit ? unitProblems(node, image) : restartWarnings(container))]
}

/** What stands against a change of the unit that runs the container. */
function unitProblems(node: ObservedNode, image: string): Problem[] {
  const { container, unit } = node
  const name = container.Name.replace(/^\//, '')
  const change = nodeUnitChange(node, '', image)
  const problems: Problem[] = []
  if (unit && change && 'why' in change) {
    problems.push(
      error(
        'systemd-owned',
        `cannot upgrade ${name}: ${unit.source.name} runs it, and ${change.why}`,
        change.fix,
      ),
    )
  }
  if (unit?.state.needsReload === true) {
    problems.push(
      warning(
        'unit-changed-on-disk',
        `${unit.source.name} was changed since systemd read it: the restart brings all of it in`,
        `systemctl cat ${unit.source.name}`,
      ),
    )
  }
  if (!['', 'no'].includes(container.HostConfig.RestartPolicy.Name)) {
    problems.push(
      warning(
        'two-keepers',
        `${name} is kept by ${unit?.source.name ?? ''} and by Docker's restart policy: both start it after a failure`,
        'take --restart out of the unit',
      ),
    )
  }
  return problems
}

function restartWarnings({ Name, HostConfig }: ObservedNode['container']): Problem[] {
  const name = Name.replace(/^\//, '')
  if (HostConfig.AutoRemove === true) {
    return [
      warning(
        'auto-remove',
        `${name} runs with --rm: Docker removes it when it stops, so a rollback creates it again from its journaled settings`,
        `docker run without --rm, with --restart=always`,
      ),
    ]
  }
  if (HostConfig.RestartPolicy.Name !== '' && HostConfig.RestartPolicy.Name !== 'no') return []
  return [
    warning(
      'no-restart-policy',
      `${name} has no restart policy: after a reboot of the host no calico/node comes up`,
      `docker update --restart=always ${name}`,
    ),
  ]
}

/** The repository's name, or the start-up program that only calico/node has. */
function looksLikeCalicoNode({ Config }: ObservedNode['container']): boolean {
  const repository = Config.Image.replace(/@.*$/, '').replace(/:[^/:]*$/, '')
  const program = [...(Config.Entrypoint ?? []), ...(Config.Cmd ?? [])].join(' ')
  return (
    /(^|\/)(calico\/node|calico-node|cnx-node)$/.test(repository) || /start_runit|calico-node/.test(program)
  )
}

function birdProblems(node: ObservedNode): Problem[] {
  if (node.backend !== 'bird') {
    return [
      warning(
        'no-bird',
        `no BIRD runs here (CALICO_NETWORKING_BACKEND=${node.backend}): the new container is gated on its own health alone`,
        'nothing is to be done',
      ),
    ]
  }
  const name = node.container.Name.replace(/^\//, '')
  return node.daemons.flatMap(({ view }) => [
    ...(view.recovering
      ? [
          overridable(
            'bird-recovering',
            `cannot restart BIRD now: its graceful-restart recovery is in progress, and a second restart makes the peers delete this host's routes`,
            `run again when "docker exec ${name} birdcl show status" tells of no recovery`,
          ),
        ]
      : []),
    ...notRestartAware(view).map((peer) =>
      overridable(
        'peer-not-restart-aware',
        `cannot keep the routes at ${peer}: that peer does not announce graceful restart`,
        'add "graceful restart;" to the BGP protocol of that peer',
      ),
    ),
    ...birdBaseline(view).dead.map((peer) =>
      warning(
        'peer-down',
        `peer ${peer} is down already: it is released if it alone holds BIRD's recovery back`,
        `docker exec ${name} birdcl show protocols all ${peer}`,
      ),
    ),
  ])
}

/** Established peers that drop the routes as soon as BIRD dies. */
function notRestartAware({ sessions }: BirdUp): string[] {
  return sessions.filter((session) => session.established && !session.restartAware).map(({ name }) => name)
}

/** What stands against fetching what is asked for. */
export function prefetchProblems(observed: Observed): Problem[] {
  const { image, engine, cni } = observed
  return [
    ...(image ? imageProblems(image, engine) : []),
    ...cniImageProblems(observed),
    ...(cni?.problems ?? []),
  ]
}

/** Plugins that this run puts in place. */
function stagedNames({ cni }: Observed, wanted: Wanted): string[] {
  return cni === null || isInstalled(cni) ? [] : wanted.cni.binaries
}

function cniImageProblems({ cni, engine }: Observed): Problem[] {
  return cni?.image ? imageProblems(cni.image, engine) : []
}

function imageProblems(image: ObservedImage, engine: Observed['engine']): Problem[] {
  const platform = `${engine.os}/${engine.architecture}`
  if ('error' in image.remote) {
    if (!image.local) return [image.remote.error]
    return [
      {
        ...image.remote.error,
        severity: 'warning',
        message: `${image.remote.error.message}; the local image is used`,
      },
    ]
  }
  const { platforms } = image.remote
  if (platforms.length === 0 || platforms.includes(platform)) return []
  return [
    error(
      'wrong-architecture',
      `cannot use ${image.ref}: it is for ${platforms.join(', ')}, this host is ${platform}`,
      `name an image that is built for ${platform}`,
    ),
  ]
}

function error(code: string, message: string, fix: string): Problem {
  return { code, severity: 'error', message, fix }
}

function overridable(code: Overridable, message: string, fix: string): Problem {
  return error(code, message, `${fix}; --allow ${code} overrides`)
}

function warning(code: string, message: string, fix: string): Problem {
  return { code, severity: 'warning', message, fix }
}
