import type { Problem } from '../core/errors.ts'
import type { ObservedNode, Wanted } from '../core/model.ts'
import { gateAnew } from '../core/plan/node.ts'
import { preflightWithoutImage } from '../core/preflight.ts'
import { observeHost } from '../observe/observe.ts'
import type { Recheck } from '../steps/step.ts'
import type { App } from './app.ts'

/**
 * The look that the swap of the node takes right before its KILL: by the rules that the plan was judged by. `next` are the
 * settings of the container that takes over, where it has its own; `known` was told of the plan already.
 */
export function recheckOf(
  { ports, signal }: Pick<App, 'ports' | 'signal'>,
  asked: Wanted,
  known: Problem[],
  next: (node: ObservedNode) => Promise<ObservedNode> = (node) => Promise.resolve(node),
): Recheck {
  return async (old, planned) => {
    // the Node is cordoned by now, and no rule about it asks again
    const wanted = { ...asked, node: { ...asked.node, container: old.name }, kubernetes: null }
    const observed = await observeHost(wanted, ports, signal)
    const told = new Set(known.map(({ message }) => message))
    const problems = preflightWithoutImage(observed, wanted, 'node').filter(
      ({ message }) => !told.has(message),
    )
    const gate =
      observed.node === null ? planned : gateAnew(planned, { node: await next(observed.node), wanted })
    return { gate, problems }
  }
}
