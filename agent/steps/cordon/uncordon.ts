import { AgentError, type Problem } from '../../core/errors.ts'
import type { Step, StepContext, StepResult } from '../step.ts'
import { uncordon as uncordonNode } from './node.ts'

/** After the commit. The API server may be away: that never undoes what is committed. */
export const uncordon: Step<'uncordon'> = {
  moves: false,
  describe: ({ node }) => `uncordon ${node}, if this run cordoned it`,
  capture: () => Promise.resolve({}),
  do: () => Promise.resolve(),
  verify: (args, _before, context) => uncordonOrPending(args, context),
  goesOn: () => Promise.resolve(true),
  undo: () => Promise.resolve({}),
}

/** What the API server does not accept now is left for a later try. */
export async function uncordonOrPending(
  node: { node: string; run: string },
  { kubernetes }: Pick<StepContext, 'kubernetes'>,
): Promise<StepResult> {
  try {
    await uncordonNode(kubernetes, node)
    return {}
  } catch (error) {
    if (!(error instanceof AgentError)) throw error
    return { uncordonPending: true, problems: [pending(node.node, error)] }
  }
}

function pending(node: string, { message, fix, isTransient }: AgentError): Problem {
  const first = isTransient ? '' : `${fix}; then `
  return {
    code: 'uncordon-pending',
    severity: 'warning',
    message: `Node ${node} is still cordoned: ${message}`,
    fix: `${first}the service tries again by itself; to do it now: calico-agent resume, or kubectl uncordon ${node}`,
  }
}
