import { birdBaseline } from '../bird/baseline.ts'
import { diallingNeighbors } from '../bird/dialling.ts'
import { windowBudget } from '../bird/window.ts'
import { envMap, healthChecks, imageVersion } from '../docker/health.ts'
import { tagOf } from '../docker/image-ref.ts'
import { imageChange, runsAlready } from '../docker/image-state.ts'
import type { ObservedImage, ObservedNode } from '../model.ts'
import { askedVersion } from '../release/node-versions.ts'
import type { Wanted } from '../wanted.ts'
import { type ContainerSwap, type Replaced, swapBack, swapToImage } from './container-swap.ts'
import { type PlanPart, unchanged } from './part.ts'
import type { Gate } from './plan.ts'

export interface NodeInput {
  run: string
  wanted: Pick<Wanted, 'windowMs' | 'settleMs'>
  engineHostname: string
  /** What runs the pods of this host, where that is not Docker. */
  runtime?: string | undefined
  node: ObservedNode
}

/** Replaces the running container with one of `image`. */
export function nodePart(input: NodeInput, image: ObservedImage): PlanPart {
  const { node } = input
  const change = imageChange(node, image)
  if (runsAlready(node, image)) return unchanged('node', change)
  const swap = swapToImage(swapInput(input), image)
  return { component: 'node', change, ...partOf(input, swap, askedVersion(image)) }
}

/** Restores the container that an earlier run replaced. */
export function nodeBackPart(input: NodeInput, replaced: Replaced): PlanPart {
  const change = { from: input.node.container.Config.Image, to: replaced.old.image }
  const swap = swapBack(swapInput(input), replaced)
  return {
    component: 'node',
    change,
    ...partOf(input, swap, imageVersion(tagOf(replaced.old.image), null)),
  }
}

function swapInput({ run, node, engineHostname }: NodeInput) {
  return { component: 'node' as const, run, label: run, running: node, engineHostname }
}

function partOf(
  input: NodeInput,
  { old, next, prepare, commits, diff }: ContainerSwap,
  version: string | null,
): Pick<PlanPart, 'prepare' | 'move' | 'commits' | 'diff'> {
  const gate = gateOf(input, version)
  return {
    prepare,
    move: [{ kind: 'swap-container', component: 'node', args: { old, next, gate } }],
    commits,
    diff,
  }
}

/** `version` is the new one's; null where it is not known. `env` is the new one's too, where it gets another. */
export function gateOf(
  { node, wanted }: Pick<NodeInput, 'node' | 'wanted'>,
  version: string | null,
  env = envMap(node.container.Config.Env),
): Gate {
  const announcedMs = node.daemons.length > 0 ? node.announcedMs : Infinity
  return {
    ...windowBudget(announcedMs, wanted.windowMs),
    settleMs: wanted.settleMs,
    daemons: node.daemons.map((daemon) => ({
      endpoint: daemon.endpoint,
      baseline: birdBaseline(daemon.view, daemon.neighbors),
      dialling: diallingNeighbors(daemon),
    })),
    health: healthChecks(env, version, node.daemons.length > 0),
  }
}

/** The gate of a plan for the node's current state, right before the KILL. */
export function gateAnew(planned: Gate, input: Pick<NodeInput, 'node' | 'wanted'>): Gate {
  return { ...gateOf(input, null), health: planned.health }
}
