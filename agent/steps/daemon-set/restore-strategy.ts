import { AgentError } from '../../core/errors.ts'
import { strategyPatch } from '../../core/kubernetes/daemon-set.ts'
import type { Step } from '../step.ts'
import { apiOf, patchDaemonSet } from './template.ts'

/** After the commit of the last host: the DaemonSet gets the update strategy back that it had before the rollout. */
export const restoreStrategy: Step<'restore-strategy'> = {
  moves: false,
  describe: ({ set }) =>
    `restore the update strategy of ${set.namespace}/${set.name}, if this is the last host`,
  capture: () => Promise.resolve({}),
  do: () => Promise.resolve(),

  async verify({ set }, _before, context) {
    try {
      await patchDaemonSet(apiOf(context), set, strategyPatch)
      return {}
    } catch (error) {
      if (!(error instanceof AgentError)) throw error
      return { problems: [{ ...error.asProblem(), severity: 'warning' }] }
    }
  },

  goesOn: () => Promise.resolve(true),
  undo: () => Promise.resolve({}),
}
