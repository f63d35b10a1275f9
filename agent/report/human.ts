import { abbreviatedList, grouped } from '../core/grouped.ts'
import type { Report, ReportedChange, StepReport } from '../core/report/report.ts'
import { diffLines } from './diff-text.ts'
import { problemLines } from './problem-text.ts'
import { type Colors, colorsFor, duration, oneLine } from './text.ts'
import { windowLines } from './window-text.ts'
import { hanging, type TextOptions } from './wrap.ts'

type Wrapped = (lead: string, text: string) => string[]

/** The report of a run for people: the outcome first, then the evidence. No newline at its end. */
export function renderReport(
  report: Report,
  { color, columns, diff }: TextOptions & { diff: boolean },
): string {
  const colors = colorsFor(color)
  const { outcome, steps, window, problems, run } = report
  const wrapped = (lead: string, text: string): string[] => hanging(lead, text, columns)
  const sections = [
    [
      ...wrapped('', outcomeLine(report, colors)),
      ...(outcome === 'unchanged' ? [] : changes(report).flatMap(([lead, text]) => wrapped(lead, text))),
    ],
    outcome === 'planned' ? [...numbered(steps, wrapped), ...commitPoints(steps)] : [],
    outcome === 'stuck' ? steps.flatMap((step) => standsWhere(step, wrapped)) : [],
    window ? windowLines(window, isUnwound(report), { colors, columns }) : [],
    window ? releasedText(window.releasedPeers, colors).flatMap((text) => wrapped('', text)) : [],
    controllersText(report.controllersDownMs).flatMap((text) => wrapped('', text)),
    diff ? report.diff.flatMap((entry) => diffLines(entry, colors)) : [],
    grouped(problems).flatMap((problem) => problemLines(problem, colors, columns)),
    run === null ? [] : [colors.dim(`run ${run}`)],
  ]
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')
}

/** Rolled back because it failed; a requested rollback has changed the host. */
function isUnwound({ outcome, changed }: Report): boolean {
  return outcome === 'rolled-back' && !changed
}

function outcomeLine(report: Report, { bold, green, yellow, red }: Colors): string {
  switch (report.outcome) {
    case 'unchanged':
      return green(nothingToDo(report))
    case 'planned':
      return bold('would change')
    case 'prefetched':
      return green('prefetched: an upgrade has nothing left to pull; nothing that is running was touched')
    case 'upgraded':
      return green('upgraded')
    case 'refused':
      return red(`${refusal(report)}: nothing was changed`)
    case 'rolled-back':
      return isUnwound(report)
        ? yellow('failed and rolled back: this host runs what it ran before')
        : green('rolled back')
    case 'partial':
      return yellow('failed in part: what was committed stays, the rest was rolled back')
    case 'stuck':
      return red('stuck: you must repair this host by hand; each error below says how')
    case 'deferred':
      return yellow('deferred: nothing was changed; try again later')
  }
}

/** A host that is not configured yet breaks no rule. */
function refusal({ problems }: Report): string {
  const isUnclear = problems.some(({ code }) => code === 'bad-config')
  return isUnclear ? 'check the config and the flags' : 'refused'
}

/** A prefetch that finds the image here is unchanged as well: then another one runs. */
function nothingToDo({ components }: Report): string {
  const { node } = components
  const asked = Object.keys(components).length
  if (asked === 0) return 'nothing to do'
  if (!node || asked > 1) return 'nothing to do: everything is already in place'
  return `nothing to do: ${oneLine(node.to)} is already ${node.from === node.to ? 'running' : 'here'}`
}

/** Changes that did not happen are shown as requested. */
function changes(report: Report): [lead: string, text: string][] {
  return Object.entries(report.components).map(([component, change]) => {
    const moves = report.steps.some((step) => step.component === component)
    return [`  ${component}  `, changeText(report, change, moves)]
  })
}

function changeText(
  { changed, outcome }: Report,
  { from, to, rolledBack, tagMoved }: ReportedChange,
  moves: boolean,
): string {
  if (outcome === 'prefetched') return `${oneLine(to)} is here`
  if (rolledBack) return `rolled back to ${oneLine(from)}; requested: ${oneLine(to)}`
  if (from === to && !moves) return `${oneLine(to)} is already in place`
  const asked = changed ? '' : 'requested: '
  if (from === to && !tagMoved) return `${asked}${oneLine(to)}, installed again`
  const moved = tagMoved ? ' (its tag now points to another image)' : ''
  return `${asked}${oneLine(from)} -> ${oneLine(to)}${moved}`
}

function numbered(steps: StepReport[], wrapped: Wrapped): string[] {
  return ['steps', ...steps.flatMap(({ summary }, i) => wrapped(`  ${i + 1}. `, oneLine(summary)))]
}

/** Only where there are several: after the one, there is nothing to undo. */
function commitPoints(steps: StepReport[]): string[] {
  const commits = [...steps.keys()].filter((i) => steps[i]?.kind === 'commit').slice(0, -1)
  return commits.map((i) => `  step ${i + 1} is final: it stays even if a later step fails`)
}

function controllersText(downMs: number | null): string[] {
  if (downMs === null) return []
  return [
    `no controllers ran on this host for ${duration(downMs)}: new network policies, pods in new namespaces and changed labels waited until they were back; existing policy stayed in force`,
  ]
}

/** For whoever has to finish by hand. */
function standsWhere({ status, summary, ms }: StepReport, wrapped: Wrapped): string[] {
  return wrapped(`  ${status.padEnd(9)}  `, `${oneLine(summary)}${ms > 0 ? ` (${duration(ms)})` : ''}`)
}

function releasedText(peers: string[], { yellow }: Colors): string[] {
  if (peers.length === 0) return []
  return [
    yellow(
      `released ${abbreviatedList(peers)}: down before the run, and the only ones that delayed the recovery`,
    ),
  ]
}
