import { type AgentError, isEngineGone, isTransient, joinErrors, type Problem } from '../core/errors.ts'
import type { Emit } from '../core/events.ts'
import type { Component } from '../core/plan/plan.ts'
import { refusalOf } from '../core/preflight.ts'
import type { Outcome } from '../core/report/report.ts'
import { unexpected } from '../core/unexpected.ts'
import { isAnySettled, isForwardOnly, isSettled, lastCommit } from '../journal/commits.ts'
import type { Journal } from '../journal/journal.ts'
import { type BoundStep, bindStep } from '../steps/registry.ts'
import type { Ports, Recheck, StepContext } from '../steps/step.ts'
import { Heard } from './heard.ts'
import { retryTransient } from './retry-transient.ts'

export interface Execution {
  journal: Journal
  ports: Ports
  emit: Emit
  /** Aborted, with the reason, when somebody asks to stop. */
  signal: AbortSignal
  recheck?: Recheck | undefined
}

/**
 * Runs the journal's plan from its current step to a journaled outcome. A failure undoes what was touched and no commit
 * has settled, the failing step first; in a commit, and after the last one, nothing is undone.
 */
export async function execute(execution: Execution): Promise<Outcome> {
  const { journal } = execution
  try {
    await goForward(execution)
  } catch (error) {
    if (!isForwardOnly(journal.state)) return await goBack(execution, asProblem(error, execution.signal))
    const fallen = await fallenCommit(execution, error)
    if (fallen !== undefined) return await goBack(execution, asProblem(error, execution.signal), fallen)
    try {
      await retryTransient(error, execution, goForward)
    } catch (lastError) {
      const goesBack = !isForwardOnly(journal.state)
      const last = goesBack ? undefined : await fallenCommit(execution, lastError)
      if (!goesBack && last === undefined) return await giveUp(execution, lastError)
      return await goBack(execution, asProblem(lastError, execution.signal), last)
    }
  }
  return await finish(execution, outcomeOf(journal))
}

/**
 * A commit that failed and cannot be kept: the new container went down and the old one came back, or nothing of it took
 * effect and the failure is not transient.
 */
async function fallenCommit(execution: Execution, error: unknown): Promise<number | undefined> {
  const { steps } = execution.journal.state
  const at = lastCommit(execution.journal.state)
  if (at === undefined || steps[at]?.status === 'verified') return undefined
  const commit = stepAt(execution.journal, at)
  const { before } = steps[at] ?? {}
  const context = contextOf(execution, at)
  // an Engine that does not answer says nothing
  const goesOn = await commit.goesOn(before, context).catch(() => true)
  const stands = goesOn && (isTransient(error) || (await commit.tookHold(before, context).catch(() => true)))
  return stands ? undefined : at
}

/** Undoes in reverse order every step that was touched and is not settled; `commit` is one that did not take effect. */
export async function goBack(execution: Execution, problem: Problem, commit?: number): Promise<Outcome> {
  const { journal, emit } = execution
  if (journal.state.unwinding === null)
    await journal.note({ type: 'unwinding', problem, ...(commit !== undefined && { commit }) })
  emit({ type: 'unwinding', reason: problem.message })
  const moved = journal.state.steps.some(({ doing }, index) => doing && stepAt(journal, index).moves)
  try {
    await undoAll(execution)
  } catch (error) {
    try {
      await retryTransient(error, execution, undoAll)
    } catch (lastError) {
      return await giveUp(execution, lastError)
    }
  }
  if (isAnySettled(journal.state)) return await finish(execution, 'partial')
  return await finish(execution, moved ? 'rolled-back' : refusalOf([journal.state.unwinding ?? problem]))
}

/** A step that cannot be undone prevents only the undo of the earlier steps of its own component. */
async function undoAll(execution: Execution): Promise<void> {
  const failures = new Map<Component, AgentError>()
  for (const [index, { component }] of [...execution.journal.state.plan.steps.entries()].reverse()) {
    if (failures.has(component)) continue
    if (failures.size > 0 && stepAt(execution.journal, index).undoneLast) continue
    try {
      await undo(execution, index)
    } catch (error) {
      if (isEngineGone(error)) throw error
      failures.set(component, unexpected(error))
    }
  }
  const failure = joinErrors([...failures.values()])
  if (failure) throw failure
}

async function goForward(execution: Execution): Promise<void> {
  const { journal, signal } = execution
  for (const index of journal.state.steps.keys()) {
    if (journal.state.steps[index]?.status === 'verified') continue
    if (canStop(execution, index)) signal.throwIfAborted()
    await run(execution, index)
  }
}

/** Cleans up after what is committed as well. */
function canStop({ journal }: Execution, index: number): boolean {
  return !isForwardOnly(journal.state) && !isStepSettled(journal, index)
}

async function run(execution: Execution, index: number): Promise<void> {
  const { journal, emit } = execution
  const step = stepAt(journal, index)
  const heard = new Heard(contextOf(execution, index))
  const hearing = heard.context
  if (journal.state.steps[index]?.before === undefined) {
    await journal.append({ type: 'captured', step: index, before: await step.capture(hearing) })
    // a look takes a while: a stop request in the meantime leaves the host untouched
    if (canStop(execution, index)) execution.signal.throwIfAborted()
  }
  const before = journal.state.steps[index]?.before
  const since = startedBefore(execution, index)
  emit({ type: 'step', index, status: 'doing' })
  await journal.append({ type: 'doing', step: index })
  const context = { ...hearing, since: since ?? execution.ports.clock.now() }
  try {
    await step.do(before, context)
    await journal.append({ type: 'done', step: index })
    emit({ type: 'step', index, status: 'verifying' })
    const result = await step.verify(before, context)
    await journal.append({ type: 'verified', step: index, ...heard.with(result) })
  } catch (error) {
    emit({ type: 'step', index, status: 'failed', reason: asProblem(error, execution.signal).message })
    throw error
  }
  emit({ type: 'step', index, status: 'verified', ms: journal.state.steps[index]?.ms ?? 0 })
}

async function undo(execution: Execution, index: number): Promise<void> {
  const { journal, emit, ports } = execution
  const { doing, status, before } = journal.state.steps[index] ?? {}
  if (doing === undefined || status === 'undone' || isStepSettled(journal, index)) return
  emit({ type: 'step', index, status: 'undoing' })
  await journal.note({ type: 'undoing', step: index })
  const since = doing.boot === ports.clock.bootId() ? doing.mono : ports.clock.now()
  const heard = new Heard({ ...contextOf(execution, index), since })
  const result = await stepAt(journal, index).undo(before, heard.context)
  await journal.note({ type: 'undone', step: index, ...heard.with(result) })
  emit({ type: 'step', index, status: 'undone' })
}

export function isStepSettled({ state }: Journal, index: number): boolean {
  const component = state.plan.steps[index]?.component
  return component !== undefined && isSettled(state, component)
}

/** When an interrupted `do` of this boot began: the window counts from there. */
export function startedBefore({ journal, ports }: Execution, index: number): number | undefined {
  const doing = journal.state.steps[index]?.doing
  return doing?.boot === ports.clock.bootId() ? doing.mono : undefined
}

function contextOf({ ports, emit, signal, recheck }: Execution, index: number): StepContext {
  return { ...ports, emit, signal, index, since: ports.clock.now(), recheck }
}

export function stepAt(journal: Journal, index: number): BoundStep {
  const planned = journal.state.plan.steps[index]
  if (!planned) throw new Error(`internal error: the plan has no step ${index}`)
  return bindStep(planned)
}

function outcomeOf({ state }: Journal): Outcome {
  const outcomes = { upgrade: 'upgraded', rollback: 'rolled-back', prefetch: 'prefetched' } as const
  return outcomes[state.plan.command]
}

async function finish({ journal }: Execution, outcome: Outcome, problem?: Problem): Promise<Outcome> {
  await journal.note({ type: 'finished', outcome, ...(problem && { problem }) })
  return outcome
}

/** A transient error, such as an Engine that is down or a full disk, leaves the run open: a resume continues it. */
export async function giveUp(execution: Execution, error: unknown): Promise<Outcome> {
  const problem = asProblem(error, new AbortController().signal)
  if (!isTransient(error)) return await finish(execution, 'stuck', problem)
  const fix = `${problem.fix}; then calico-agent resume continues this run`
  await execution.journal.note({ type: 'stopped', problem: { ...problem, fix } })
  return 'stuck'
}

function asProblem(error: unknown, signal: AbortSignal): Problem {
  return unexpected(signal.aborted ? signal.reason : error).asProblem()
}
