import type { Problem } from '../errors.ts'
import { redactedJsonDiff } from '../redact/json.ts'
import { wayBackOf } from './cni-config.ts'
import type { PlanPart } from './part.ts'
import type { StepArgs, SwappedBinary } from './plan.ts'

/** The plan part that restores what an earlier run changed; null if none of it can be restored. */
export interface BackPart {
  part: PlanPart | null
  problems: Problem[]
}

/** The plugins that a run replaced, and what is in their place now; hashes in hex. */
export interface ReplacedPlugins {
  run: string
  binDir: string
  binaries: SwappedBinary[]
  installed: (string | null)[]
  /** The links that the run kept. */
  kept: (string | null)[]
}

/** Restores plugins from the links that their run kept. What someone else has put there since stays. */
export function cniBackPart(run: string, replaced: ReplacedPlugins): BackPart {
  const { binDir, binaries, installed, kept } = replaced
  const lost = binaries.findIndex(
    ({ sha256, previous }, i) => previous === null || installed[i] !== sha256 || kept[i] !== previous,
  )
  if (lost >= 0) return { part: null, problems: [leftPlugins(replaced, lost)] }
  const names = binaries.map(({ name }) => name)
  const source = { kind: 'kept' as const, binDir, run: replaced.run }
  const pinned = binaries.map(({ name, previous }) => ({ name, sha256: previous }))
  const part: PlanPart = {
    component: 'cni',
    change: { from: `as in run ${replaced.run}`, to: `as before run ${replaced.run}` },
    prepare: [
      {
        kind: 'stage-binaries',
        component: 'cni',
        args: { run, source, binDir, binaries: pinned, cniVersion: null },
      },
    ],
    move: [{ kind: 'swap-binaries', component: 'cni', args: { run, binDir, names, image: null } }],
    commits: [],
    diff: binaries.map(({ name, sha256, previous }) => ({
      target: `${binDir}/${name}`,
      before: `sha256 ${sha256}\n`,
      after: `sha256 ${previous ?? ''}\n`,
    })),
  }
  return { part, problems: [] }
}

function leftPlugins({ run, binDir, binaries, installed }: ReplacedPlugins, lost: number): Problem {
  const { name = '', sha256, previous } = binaries[lost] ?? {}
  const why =
    previous === null
      ? `there was no ${name} before run ${run}`
      : installed[lost] === sha256
        ? `the copy of ${name} that run ${run} kept is gone`
        : `${binDir}/${name} is not the one that run ${run} installed`
  return {
    code: 'cni-not-put-back',
    severity: 'warning',
    message: `the CNI plugins stay as they are: ${why}`,
    fix: 'calico-agent upgrade --only cni --cni SOURCE installs others',
  }
}

/** The config's text from before the run; `text` is its current text. */
export function cniConfigBackPart(
  run: string,
  { path, before, after, reader }: StepArgs['write-cni-config'],
  text: string | null,
): BackPart {
  if (text !== after) return { part: null, problems: [leftConfig(path)] }
  const wayBack = wayBackOf(path, run)
  const write = { path, before: after, after: before, wayBack, reader }
  const part: PlanPart = {
    component: 'cniConfig',
    change: { from: path, to: `${path}, as it was before` },
    prepare: [],
    move: [
      { kind: 'write-cni-config', component: 'cniConfig', args: write },
      ...(reader === null
        ? []
        : [{ kind: 'restart-kubelet' as const, component: 'cniConfig' as const, args: { unit: reader } }]),
    ],
    commits: [],
    kept: [wayBack],
    diff: [redactedJsonDiff({ target: path, before: after, after: before })],
  }
  return { part, problems: [] }
}

function leftConfig(path: string): Problem {
  return {
    code: 'cni-config-changed',
    severity: 'warning',
    message: `${path} was changed by another process since the run, and stays as it is`,
    fix: `look at ${path}`,
  }
}
