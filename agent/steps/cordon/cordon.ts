import { AgentError, type Problem } from '../../core/errors.ts'
import { clusterNode, cordonPatch } from '../../core/kubernetes/node.ts'
import { apiOf, readObject } from '../cluster/object.ts'
import type { Step } from '../step.ts'
import { patchNode } from './node.ts'
import { uncordonOrPending } from './uncordon.ts'

/** Before anything changes: the scheduler places no new pod here. Running pods stay. */
export const cordon: Step<'cordon'> = {
  moves: false,
  undoneLast: true,
  describe: ({ node }) => `cordon ${node}: no new pods are scheduled here, running pods stay`,

  async capture({ node, optional }, { kubernetes }) {
    const read = async () =>
      clusterNode(await readObject(apiOf({ kubernetes }), { kind: 'Node', name: node }))
    const found = await read().catch((error: unknown) => {
      // `do` reports it
      if (optional && error instanceof AgentError) return null
      throw error
    })
    return { cordoned: found?.unschedulable === true && found.run === null, by: found?.cordonedBy ?? null }
  },

  async do({ node, run, optional }, _before, { kubernetes, emit }) {
    try {
      await patchNode(kubernetes, node, (now) => cordonPatch(now, run))
    } catch (error) {
      if (!optional || !(error instanceof AgentError)) throw error
      emit({ type: 'problem', problem: { ...error.asProblem(), severity: 'warning' } })
    }
  },

  verify: ({ node }, { cordoned, by }) =>
    Promise.resolve(cordoned ? { problems: [staysCordoned(node, by)] } : {}),

  goesOn: () => Promise.resolve(true),

  undo: ({ node, run }, _before, context) => uncordonOrPending({ node, run }, context),
}

function staysCordoned(node: string, by: string | null): Problem {
  return {
    code: 'cordoned-before',
    severity: 'warning',
    message: `Node ${node} was cordoned before this run${by === null ? '' : ` by ${by}`}, and stays cordoned`,
    fix: `kubectl uncordon ${node}, once whoever cordoned it has finished`,
  }
}
