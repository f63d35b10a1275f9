import { counted } from '../core/counted.ts'
import { isYoung } from '../core/docker/up-time.ts'
import type { Problem } from '../core/errors.ts'
import { grouped } from '../core/grouped.ts'
import type { ClusterNode } from '../core/kubernetes/node.ts'
import type { Owner } from '../core/model.ts'
import type { Change, Component } from '../core/plan/plan.ts'
import { refusalOf } from '../core/preflight.ts'
import type { BirdStatus, CniConfigStatus, NodeStatus, StatusReport } from '../core/report/status.ts'
import { problemLines } from './problem-text.ts'
import { type Colors, colorsFor, oneLine, seconds, setSeconds } from './text.ts'
import { alignedRows, type TextOptions } from './wrap.ts'

type BirdSession = BirdStatus['sessions'][number]

/** A name and its value; further lines have no name. */
type Row = [name: string, text: string]

/** The state of this host, for people. No newline at its end. */
export function renderStatus(status: StatusReport, { color, columns }: TextOptions): string {
  const colors = colorsFor(color)
  const rows: Row[] = [
    ...(status.node
      ? containerRows('node', status.node)
      : [['node', colors.red('no calico/node container')] satisfies Row]),
    ...birdRows(status, colors),
    ...(status.controllers ? containerRows('controllers', status.controllers) : []),
    ...deploymentRows(status, colors),
    ...cniRows(status, colors),
    ['cni config', configText(status.cniConfig)],
    ...kubeletRows(status, colors),
    ...clusterRows(status, colors),
    ...runRows(status, colors),
    ...upgradeRows(status, colors),
  ]
  // What could not be observed mostly prevents an upgrade as well.
  const all = [...status.problems, ...(status.upgrade?.problems ?? [])]
  const problems = all.filter((one, i) => all.findIndex(({ message }) => message === one.message) === i)
  return [
    ...alignedRows(rows, columns),
    ...grouped(problems).flatMap((problem) => ['', ...problemLines(problem, colors, columns)]),
  ].join('\n')
}

/** Why there is nothing to report about this host, for people. No newline at its end. */
export function renderProblems(problems: Problem[], { color, columns }: TextOptions): string {
  return problems.flatMap((problem) => problemLines(problem, colorsFor(color), columns)).join('\n')
}

function containerRows(
  name: string,
  { container, id, state, startedAt, upMs, restartPolicy, owner, ...image }: NodeStatus,
): Row[] {
  return [
    [name, `${container} (${shortId(id)}), ${state} since ${time(startedAt)}${youngText(upMs)}`],
    ['', `restart policy ${restartPolicy || 'no'}, ${ownerText(owner)}`],
    ['image', `${oneLine(image.image)}${image.version === null ? '' : `, version ${image.version}`}`],
    ['', image.digest ?? `${shortId(image.imageId)}, no registry digest`],
  ]
}

function deploymentRows({ deployment }: StatusReport, { green, red }: Colors): Row[] {
  if (deployment === null) return []
  const { namespace, name, image, version, strategy, available, trouble, pods } = deployment
  const where = pods.map((pod) => `${pod.name} on ${pod.node ?? 'no Node yet'}`).join(', ')
  const state = available
    ? green('available')
    : red(`not available${trouble === null ? '' : `: ${oneLine(trouble)}`}`)
  return [
    ['deployment', `${namespace}/${name}, strategy ${strategy}: ${state}`],
    ['', pods.length === 0 ? 'no pod' : where],
    ['image', `${oneLine(image ?? 'none')}${version === null ? '' : `, version ${version}`}`],
  ]
}

function youngText(ms: number | null): string {
  return isYoung(ms) ? `, started ${seconds(ms, 0)} ago` : ''
}

function ownerText(owner: Owner): string {
  if (owner.kind === 'docker') return 'kept running by Docker alone'
  return `kept running by ${keeperOf(owner)}: ${oneLine(owner.why)}`
}

function keeperOf(owner: Exclude<Owner, { kind: 'docker' }>): string {
  if (owner.kind === 'systemd') return `systemd unit ${owner.unit}`
  if (owner.kind === 'daemonset') return `DaemonSet ${owner.namespace}/${owner.name}`
  if (owner.kind === 'deployment') return `Deployment ${owner.namespace}/${owner.name}`
  return owner.kind === 'kubelet' ? 'the kubelet' : 'the kubelet, as a static pod'
}

function birdRows({ bird, announcedMs }: StatusReport, colors: Colors): Row[] {
  if (bird === null) return [['bird', 'none on this host']]
  if (bird.length === 0) return [['bird', colors.red('does not answer')]]
  const differ = bird.some((daemon) => daemon.announcedMs !== announcedMs)
  return bird.flatMap((daemon, i) => [
    ...daemonRows(daemon, colors),
    ...(differ || i === bird.length - 1 ? [announcedRow(daemon)] : []),
  ])
}

function announcedRow({ announcedMs }: BirdStatus): Row {
  return ['', `announces a restart time of ${setSeconds(announcedMs)}`]
}

function daemonRows(
  { family, socket, via, lastReboot, recovering, waitTimer, sessions }: BirdStatus,
  colors: Colors,
): Row[] {
  const timer = waitTimer === null ? '' : `, wait timer ${waitTimer}`
  const state = recovering
    ? colors.yellow(`started at ${oneLine(lastReboot)}, recovery in progress${timer}`)
    : colors.green('up')
  const table = sessions.map((session) => [
    oneLine(session.name),
    session.neighbor,
    counted(session.imported, 'route'),
    sessionText(session, colors),
  ])
  return [
    ['bird', `IPv${family}, ${socket}${via === 'exec' ? ' in the container' : ''}: ${state}`],
    ...(table.length === 0 ? ['no BGP sessions'] : alignedRows(table)).map((line): Row => ['', line]),
  ]
}

function sessionText({ established, info, restarting }: BirdSession, { green, yellow, red }: Colors): string {
  if (established) return green(oneLine(info))
  if (restarting === null) return red(oneLine(info))
  const left = restarting.secondsLeft === null ? '' : `, ${restarting.secondsLeft} s left`
  return yellow(`${oneLine(info)}, in a graceful restart${left}`)
}

function cniRows({ cni }: StatusReport, colors: Colors): Row[] {
  if (cni === null) return []
  const table = cni.plugins.map(({ name, sha256, version }) => [
    name,
    sha256 === null ? colors.red('is missing') : oneLine(version ?? 'reports no version'),
    sha256 === null ? '' : `sha256 ${sha256.slice(0, 12)}`,
  ])
  return [['cni', cni.binDir], ...alignedRows(table).map((line): Row => ['', line.trimEnd()])]
}

function configText(config: CniConfigStatus | null): string {
  if (config === null) return 'none that the kubelet uses'
  const { path, plugins, cniVersion, isCalico } = config
  return `${oneLine(path)}: ${oneLine(plugins.join(', '))}, CNI ${oneLine(cniVersion)}${isCalico ? '' : ", not Calico's"}`
}

function kubeletRows({ kubelet }: StatusReport, colors: Colors): Row[] {
  return kubelet.map(({ flag, paths, isAsked }, i): Row => {
    const text = oneLine(`${flag}=${paths.join(',')}`)
    const key = flag === '--cni-conf-dir' ? 'cni.configDir' : 'cni.binDir'
    return [i === 0 ? 'kubelet' : '', isAsked ? text : colors.red(`${text}, not ${key}`)]
  })
}

function clusterRows({ kubernetes }: StatusReport, { green, yellow }: Colors): Row[] {
  if (kubernetes === null) return []
  const { node, uncordonPending } = kubernetes
  const pending = `run ${uncordonPending ?? ''} still has to uncordon it: calico-agent resume`
  return [
    ['kubernetes', node === null ? yellow('Node unknown') : nodeText(node, { green, yellow })],
    ...(uncordonPending === null ? [] : [['', yellow(pending)] satisfies Row]),
  ]
}

function nodeText(
  { name, unschedulable, cordonedBy, run }: ClusterNode,
  { green, yellow }: Pick<Colors, 'green' | 'yellow'>,
): string {
  const by = run === null ? (cordonedBy ?? 'someone') : `run ${run}`
  return `Node ${oneLine(name)}: ${unschedulable ? yellow(`cordoned by ${oneLine(by)}`) : green('schedulable')}`
}

function runRows({ lastRun, unfinishedRun }: StatusReport, colors: Colors): Row[] {
  const rows: Row[] = []
  if (lastRun) {
    const { run, outcome, components, startedAt, window } = lastRun
    rows.push([
      'last run',
      `${run}, ${time(startedAt)}: ${outcome === 'stuck' ? colors.red(outcome) : outcome}`,
    ])
    const used =
      window?.usedMs == null ? '' : `, window ${seconds(window.usedMs)} of ${setSeconds(window.budgetMs)}`
    const changes = Object.entries(components).map(
      ([component, { from, to }]) => `${component}: ${oneLine(from)} -> ${oneLine(to)}`,
    )
    rows.push(['', `${changes.join('; ')}${used}`])
  }
  if (unfinishedRun) {
    const { run, startedAt, command, atWork } = unfinishedRun
    const what = `${run}, ${command} of ${time(startedAt)}`
    rows.push(
      atWork === null
        ? ['unfinished', colors.yellow(`${what}; to finish or undo it: calico-agent resume`)]
        : ['in progress', `${what}, by pid ${atWork.pid}, calico-agent ${oneLine(atWork.command)}`],
    )
  }
  return rows
}

function upgradeRows({ upgrade }: StatusReport, colors: Colors): Row[] {
  if (upgrade === null) return []
  if (upgrade.refused) return [['upgrade', colors.red(`would be ${refusalOf(upgrade.problems)}`)]]
  const named = (isMeant: (component: Component) => boolean): string =>
    (Object.entries(upgrade.components) as [Component, Change][])
      .filter(([component]) => isMeant(component))
      .map(([component, { to }]) => `${component} ${oneLine(to)}`)
      .join(', ')
  const inPlace = named((component) => !upgrade.moves.includes(component))
  if (!upgrade.changed) return [['upgrade', colors.green(`nothing to do: ${inPlace} is already in place`)]]
  const rest: Row[] = inPlace === '' ? [] : [['', `already in place: ${inPlace}`]]
  return [['upgrade', `would install: ${named((component) => upgrade.moves.includes(component))}`], ...rest]
}

function shortId(id: string): string {
  return id.replace(/^sha256:/, '').slice(0, 12)
}

/** Docker's nanoseconds and the journal's milliseconds, both to the second. */
function time(iso: string): string {
  return iso.replace('T', ' ').replace(/\.\d+/, '')
}
