import { AgentError, type Problem } from '../../core/errors.ts'
import { type ClusterNode, cordonPatch } from '../../core/kubernetes/node.ts'
import type { Step, StepContext } from '../step.ts'
import { patchNode } from './node.ts'
import { uncordonOrPending } from './uncordon.ts'

/** Before anything moves: the scheduler places no new pod here. Pods that run stay. */
export const cordon: Step<'cordon'> = {
  moves: false,
  undoneLast: true,
  describe: ({ node }) => `cordon ${node}: no new pods are scheduled here, running pods stay`,

  async capture({ node }, context) {
    const found = await unlessAway(context, () => patchNode(context.kubernetes, node, () => null))
    return { cordoned: found?.unschedulable === true && found.run === null, by: found?.cordonedBy ?? null }
  },

  async do({ node, run, optional }, _before, context) {
    const patched = (): Promise<ClusterNode> =>
      patchNode(context.kubernetes, node, (now) => cordonPatch(now, run))
    await (optional ? unlessAway(context, patched) : patched())
  },

  verify: ({ node }, { cordoned, by }) =>
    Promise.resolve(cordoned ? { problems: [staysCordoned(node, by)] } : {}),

  goesOn: () => Promise.resolve(true),

  undo: ({ node, run }, _before, context) => uncordonOrPending({ node, run }, context),
}

/** Where the operator allowed it, the run goes on without a cordon, and says so. */
async function unlessAway<T>({ emit }: StepContext, ask: () => Promise<T>): Promise<T | null> {
  try {
    return await ask()
  } catch (error) {
    if (!(error instanceof AgentError)) throw error
    emit({ type: 'problem', problem: { ...error.asProblem(), severity: 'warning' } })
    return null
  }
}

function staysCordoned(node: string, by: string | null): Problem {
  return {
    code: 'cordoned-before',
    severity: 'warning',
    message: `Node ${node} was cordoned before this run${by === null ? '' : ` by ${by}`}, and stays cordoned`,
    fix: `kubectl uncordon ${node}, once whoever cordoned it has finished`,
  }
}
