import { AgentError, type Problem } from '../../core/errors.ts'
import type { StepArgs } from '../../core/plan/plan.ts'
import { leftAsItIs } from '../changed-file.ts'
import type { Step } from '../step.ts'
import { orLeftover } from './leftover.ts'

/** Calico's CNI config, from one whole text to another. A text that is neither comes from someone else: it stays. */
export const writeCniConfig: Step<'write-cni-config'> = {
  moves: true,
  describe: ({ path }) => `change ${path}`,

  async capture({ path, before }, { configs }) {
    if ((await configs.read(path)) !== before) throw changed(path, 'fix it, then run the upgrade again')
    return {}
  },

  async do({ path, before, after, wayBack }, _before, { configs }) {
    const text = await configs.read(path)
    if (text === after) return
    if (text !== before) throw changed(path, 'fix it, then run the upgrade again')
    await configs.replace(path, after, wayBack)
  },

  async verify({ path, after }, _before, { configs }) {
    if ((await configs.read(path)) === after) return {}
    throw changed(path, `find the process that writes ${path}, then run the upgrade again`)
  },

  async goesOn({ path, before, after }, _before, { configs }) {
    const text = await configs.read(path)
    return text === before || text === after
  },

  async undo(args, _before, { configs, kubelet }) {
    const { path, before, wayBack, reader } = args
    const text = await configs.read(path)
    const foreign = isForeign(args, text)
    const putBack = () => (foreign ? configs.remove(wayBack) : configs.restore(path, before, wayBack))
    const isBack = () => Promise.resolve(foreign || text === before)
    const kept = await orLeftover(putBack, { what: wayBack, isBack })
    // It may have read the new one. Its own step is undone before this one, too early to read the old one.
    const failed = reader === null ? null : await problemOf(() => kubelet.restart(reader))
    return {
      problems: [
        ...(foreign ? [leftAsItIs('cni-config-changed', path)] : []),
        ...kept,
        ...(failed ? [failed] : []),
      ],
    }
  },
}

function isForeign({ before, after }: StepArgs['write-cni-config'], text: string | null): boolean {
  return text !== null && text !== before && text !== after
}

/** The undo of the earlier steps must not stop here. */
async function problemOf(make: () => Promise<void>): Promise<Problem | null> {
  try {
    await make()
    return null
  } catch (error) {
    if (error instanceof AgentError) return error.asProblem()
    throw error
  }
}

function changed(path: string, fix: string): AgentError {
  return new AgentError(
    'cni-config-changed',
    `cannot continue: another process changed ${path} during the run`,
    {
      fix,
    },
  )
}
