import { stagingName } from '../../core/cni/files.ts'
import { AgentError } from '../../core/errors.ts'
import type { Step } from '../step.ts'
import { orLeftover } from './leftover.ts'

export const stageBinaries: Step<'stage-binaries'> = {
  moves: false,
  describe: ({ binaries, binDir }) =>
    `stage ${binaries.map(({ name }) => name).join(', ')} in ${binDir}, check and try them`,
  capture: () => Promise.resolve({}),

  async do({ run, binDir, ...request }, _before, { cni, signal }) {
    await cni.stage({ run, binDir }, request, signal)
  },

  /** Reads back what is on disk. */
  async verify({ run, binDir, binaries }, _before, { cni }) {
    const names = binaries.map(({ name }) => name)
    const staged = await cni.staged({ run, binDir }, names)
    for (const [i, { name, sha256 }] of binaries.entries()) {
      const found = staged[i]?.sha256 ?? null
      if (found !== null && (sha256 === null || found === sha256)) continue
      throw new AgentError(
        'cni-binary-checksum',
        `cannot use ${name}: the staged file reads back differently`,
        {
          fix: `check the disk of ${binDir}: dmesg`,
        },
      )
    }
    return {}
  },

  goesOn: () => Promise.resolve(false),

  async undo({ run, binDir, binaries, source }, _before, { cni }) {
    const names = binaries.map(({ name }) => name)
    const what = `${binDir}/${stagingName(run)}`
    // nothing of it was ever live
    const isBack = () => Promise.resolve(true)
    return { problems: await orLeftover(() => cni.unstage({ run, binDir }, names, source), { what, isBack }) }
  },
}
