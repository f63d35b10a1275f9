import type { Problem } from '../core/errors.ts'
import type { ObservedNode } from '../core/model.ts'
import { gateAnew } from '../core/plan/node.ts'
import { preflightWithoutImage } from '../core/preflight.ts'
import type { Wanted } from '../core/wanted.ts'
import { observeHost } from '../observe/observe.ts'
import type { Recheck } from '../steps/step.ts'
import type { App } from './app.ts'

/**
 * The look that the swap of the node takes right before its KILL: with the rules that the plan was checked with. `next`: the
 * settings of the container that takes over, if it has its own; `known`: what was already reported about the plan.
 */
export function recheckOf(
  { ports, signal }: Pick<App, 'ports' | 'signal'>,
  asked: Wanted,
  known: Problem[],
  next: (node: ObservedNode) => Promise<ObservedNode> = (node) => Promise.resolve(node),
): Recheck {
  return async (old, planned) => {
    // the Node is already cordoned, so its rules are not checked again
    const wanted = { ...asked, node: { ...asked.node, container: old.name }, kubernetes: null }
    const observed = await observeHost(wanted, ports, signal)
    const told = new Set(known.map(({ message }) => message))
    const problems = preflightWithoutImage(observed, wanted, 'node').filter(
      // a manifest brings the whole template, both ways
      ({ code, message }) => !told.has(message) && !(asked.manifest && code === 'daemonset-differs'),
    )
    const gate =
      observed.node === null ? planned : gateAnew(planned, { node: await next(observed.node), wanted })
    return { gate, problems }
  }
}
