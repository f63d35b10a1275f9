import { keptName } from '../../core/cni/files.ts'
import { AgentError, ExitCode, type Problem } from '../../core/errors.ts'
import { openBy } from '../../core/open-by.ts'
import type { StepArgs } from '../../core/plan/plan.ts'
import type { CniBinaries } from '../../ports/cni-binaries.ts'
import type { Step, StepBefore } from '../step.ts'
import { orLeftover } from './leftover.ts'

type Args = StepArgs['swap-binaries']
type Before = StepBefore['swap-binaries']

/** Renames the new plugins over the old ones, one right after the other; the old ones stay as links beside them. */
export const swapBinaries: Step<'swap-binaries'> = {
  moves: true,
  describe: ({ names, binDir }) => `swap ${names.join(', ')} in ${binDir}`,

  async capture(place, { cni, docker }) {
    const [staged, installed] = await Promise.all([
      cni.staged(place, place.names),
      cni.installed(place.binDir, place.names),
    ])
    const local = place.image === null ? undefined : await docker.inspectImage(place.image)
    const binaries = place.names.map((name, i) => {
      const sha256 = staged[i]?.sha256 ?? null
      if (sha256 === null) throw new Error(`internal error: ${name} is not staged`)
      return { name, sha256, previous: installed[i]?.sha256 ?? null }
    })
    return { image: local?.Id ?? null, binaries }
  },

  async do(place, { binaries }, { cni }) {
    const known = binaries.map(({ name, previous }) => ({ name, existed: previous !== null }))
    await cni.keep(place, known)
    for (const name of place.names) await cni.putInPlace(place, name)
  },

  /** Reads back what is live, and what is kept. */
  async verify(place, { binaries }, { cni }) {
    const { installed, kept } = await look(place, cni)
    for (const [i, { name, sha256, previous }] of binaries.entries()) {
      if (installed[i] === sha256 && kept[i] === previous) continue
      throw new AgentError(
        'cni-not-in-place',
        `cannot trust ${place.binDir}/${name}: it reads back differently`,
        {
          fix: `find the process that writes there: ${openBy(`${place.binDir}/${name}`)}`,
        },
      )
    }
    return {}
  },

  /** Each is in place, or can still be put there. */
  async goesOn(place, { binaries }, { cni }) {
    const { installed, staged } = await look(place, cni)
    return binaries.every(
      ({ sha256, previous }, i) =>
        installed[i] === sha256 || (installed[i] === previous && staged[i] === sha256),
    )
  },

  async undo(place, { binaries }, { cni }) {
    const { installed, staged } = await look(place, cni)
    const problems: Problem[] = []
    for (const [i, { name, sha256, previous }] of [...binaries.entries()].reverse()) {
      const what = `${place.binDir}/${keptName(place.run, name)}`
      const isBack = () => Promise.resolve(installed[i] === previous)
      if (previous !== null)
        problems.push(...(await orLeftover(() => cni.putBack(place, name), { what, isBack })))
      // while it is staged, it has never been live
      else if (staged[i] === null) await cni.takeAway(place, name, sha256)
    }
    await checkRestored(place, binaries, cni)
    return { problems }
  },
}

async function look(place: Args, cni: CniBinaries) {
  const [installed, staged, kept] = await Promise.all([
    cni.installed(place.binDir, place.names),
    cni.staged(place, place.names),
    cni.kept(place, place.names),
  ])
  const hashes = (facts: { sha256: string | null }[]) => facts.map(({ sha256 }) => sha256)
  return { installed: hashes(installed), staged: hashes(staged), kept: hashes(kept) }
}

async function checkRestored(place: Args, binaries: Before['binaries'], cni: CniBinaries): Promise<void> {
  const installed = await cni.installed(place.binDir, place.names)
  for (const [i, { name, previous }] of binaries.entries()) {
    if ((installed[i]?.sha256 ?? null) === previous) continue
    throw new AgentError(
      'cni-not-restored',
      `cannot restore ${place.binDir}/${name}: it is not the plugin from before the run`,
      { fix: `check what is there: ls -la ${place.binDir}`, exitCode: ExitCode.stuck },
    )
  }
}
