import type { App } from './app.ts'
import type { ObservedNode, Wanted } from './core/model.ts'
import { gateAnew } from './core/plan/node.ts'
import { preflightWithoutImage } from './core/preflight.ts'
import { observeHost } from './observe/observe.ts'
import type { LookAgain } from './steps/step.ts'

/**
 * The look that the swap of the node takes right before its KILL: by the rules that the plan was judged by. `next` are the
 * settings of the container that takes over, where it has its own.
 */
export function lookAgainOf(
  { ports, signal }: Pick<App, 'ports' | 'signal'>,
  asked: Wanted,
  next: (node: ObservedNode) => Promise<ObservedNode> = (node) => Promise.resolve(node),
): LookAgain {
  return async (old, planned) => {
    const wanted = { ...asked, node: { ...asked.node, container: old.name } }
    const observed = await observeHost(wanted, ports, signal)
    const problems = preflightWithoutImage(observed, wanted, 'node')
    const gate =
      observed.node === null ? planned : gateAnew(planned, { node: await next(observed.node), wanted })
    return { gate, problems }
  }
}
