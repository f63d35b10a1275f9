import { AgentError, type Problem } from '../../core/errors.ts'
import type { RunState } from '../../journal/run-state.ts'
import type { Fleet } from '../../ports/fleet.ts'
import { namesOf, targetText } from '../held-target.ts'

/**
 * Why an interrupted upgrade must begin no further move: an operator took its turn away, and another host is at work.
 * An engine that does not answer says nothing, and the way back never asks.
 */
export async function lostTurn(fleet: Fleet | null, { plan, unwinding }: RunState): Promise<Problem | null> {
  if (fleet === null || plan.command !== 'upgrade' || unwinding !== null) return null
  try {
    await fleet.take({ run: plan.run, target: targetText(namesOf(plan)) ?? '' })
    return null
  } catch (error) {
    if (!(error instanceof AgentError)) throw error
    return LOST.includes(error.code) ? error.asProblem() : null
  }
}

/** Somebody else has the slots, or an operator halted the fleet after taking this one away. */
const LOST = ['slot-held', 'fleet-halted']
