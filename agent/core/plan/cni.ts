import { keptName } from '../cni/files.ts'
import { pullSteps } from '../docker/image-state.ts'
import type { ObservedCni } from '../model.ts'
import type { DiffEntry } from '../report/report.ts'
import type { CniSource, WantedCni } from '../wanted.ts'
import { type PlanPart, unchanged } from './part.ts'
import type { PlannedStep } from './plan.ts'

export interface CniInput {
  run: string
  wanted: WantedCni & { source: CniSource }
  observed: ObservedCni
  /** The `cniVersion` of the planned CNI config; null if it is not known. */
  cniVersion: string | null
}

/** Replaces the current plugins with the source's; no steps if they are the same. */
export function cniPart(input: CniInput): PlanPart {
  const { wanted, observed, run } = input
  const { binDir, binaries: names } = wanted
  const change = { from: installedText(observed), to: sourceText(wanted.source) }
  if (isInstalled(observed)) return unchanged('cni', change)
  const image = wanted.source.kind === 'image' ? wanted.source.image : null
  return {
    component: 'cni',
    change,
    prepare: cniFetchSteps(input),
    move: [{ kind: 'swap-binaries', component: 'cni', args: { run, binDir, names, image } }],
    commits: [],
    diff: diffOf(wanted, observed),
  }
}

/** The steps that bring the plugins onto this host; they change nothing live. */
export function cniFetchSteps({ wanted, observed, run, cniVersion }: CniInput): PlannedStep[] {
  if (isInstalled(observed)) return []
  const { source, binDir, sha256 } = wanted
  const binaries = wanted.binaries.map((name) => ({
    name,
    sha256: sha256[name] ?? observed.offered?.find((one) => one.name === name)?.sha256 ?? null,
  }))
  const args = { run, source, binDir, binaries, cniVersion }
  return [
    ...(observed.image ? pullSteps('cni', observed.image) : []),
    { kind: 'stage-binaries', component: 'cni', args },
  ]
}

/** The source has only what is already there. */
export function isInstalled({ installed, offered }: ObservedCni): boolean {
  if (offered === null) return false
  return installed.every(({ name, sha256 }) => offered.find((one) => one.name === name)?.sha256 === sha256)
}

/** Absolute paths of what a run's swap keeps for the way back. */
export function keptPaths({
  binDir,
  run,
  names,
}: {
  binDir: string
  run: string
  names: string[]
}): string[] {
  return names.map((name) => `${binDir}/${keptName(run, name)}`)
}

function installedText({ installed }: ObservedCni): string {
  const there = installed.filter(({ sha256 }) => sha256 !== null)
  if (there.length === 0) return 'none'
  return there
    .map(({ name, sha256, version }) => `${name} ${version ?? (sha256 ?? '').slice(0, 12)}`)
    .join(', ')
}

/** As the operator named it. */
export function sourceText(source: CniSource): string {
  return source.kind === 'image' ? source.image : source.path
}

function diffOf({ binDir, source }: CniInput['wanted'], { installed, offered }: ObservedCni): DiffEntry[] {
  return installed.flatMap(({ name, sha256, version }) => {
    const next = offered?.find((one) => one.name === name)?.sha256
    if (next === sha256) return []
    const before = sha256 === null ? [] : [`version ${version ?? 'unknown'}`, `sha256 ${sha256}`]
    const after = [`from ${sourceText(source)}`, `sha256 ${next ?? 'unknown until the pull'}`]
    const text = (lines: string[]) => lines.map((line) => `${line}\n`).join('')
    return [{ target: `${binDir}/${name}`, before: text(before), after: text(after) }]
  })
}
