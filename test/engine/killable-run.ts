import type { Emit } from '../../agent/core/events.ts'
import type { Plan } from '../../agent/core/plan/plan.ts'
import { execute } from '../../agent/engine/execute.ts'
import { resume } from '../../agent/engine/resume.ts'
import type { Journal } from '../../agent/journal/journal.ts'
import { decodeJournal } from '../../agent/journal/record.ts'
import { applyRecord, type RunState } from '../../agent/journal/run-state.ts'
import type { Clock } from '../../agent/ports/clock.ts'
import type { Ports, Recheck } from '../../agent/steps/step.ts'
import type { FakeClock } from '../fakes/clock.ts'
import { journalOn, Mortal } from './mortal.ts'
import type { Death, Move } from './moves.ts'

export const RUN = '20261122T141503Z-7f3a'

/** What an agent works with; each change of its ports is a move. */
interface Tools {
  ports: (move: Move) => Ports
  emit?: Emit
  signal?: AbortSignal
  recheck?: Recheck
}

/** The journal of one run on a disk, and an agent that may die at any of its moves. */
export class KillableRun {
  text = ''
  /** How many moves the last story made. */
  moves = 0
  /** Called before each move; what it throws is what the move fails with. */
  onMove: (move: number, what: string) => void = () => undefined
  /** Every death that the last story could have come to: right after each move, and right before it. */
  deaths: Death[] = []
  readonly #clock: FakeClock
  readonly #beside: () => unknown

  /** `beside` is what changes on the host without being a move. */
  constructor(clock: FakeClock, beside: () => unknown) {
    this.#clock = clock
    this.#beside = beside
  }

  /** What the journal on disk says. */
  state(): RunState | null {
    return decodeJournal(this.text, RUN).records.reduce<RunState | null>(applyRecord, null)
  }

  /** Names of the records on disk. */
  records(): string[] {
    return decodeJournal(this.text, RUN).records.map((record) =>
      'step' in record ? `${record.type} ${record.step}` : record.type,
    )
  }

  /** Runs a plan. */
  async begin(plan: Plan, tools: Tools, death?: Death): Promise<string> {
    return await this.drive(death, async (journal, move, clock) => {
      await journal.append({ type: 'run', order: 1, agent: 'test', plan, problems: [] })
      return await execute({ journal, ...given(tools, move, clock) })
    })
  }

  /** What `calico-agent resume` does: from the journal alone, if it is not finished. */
  async resume(tools: Tools, death?: Death): Promise<string> {
    const state = this.state()
    if (state === null) return 'nothing'
    if (state.outcome !== null) return state.outcome
    return await this.drive(death, (journal, move, clock) =>
      resume({ journal, ...given(tools, move, clock) }),
    )
  }

  /** Tells the story to its end, or to the death. */
  async drive(
    death: Death | undefined,
    story: (journal: Journal, move: Move, clock: Clock) => Promise<string>,
  ): Promise<string> {
    this.deaths = []
    let sinceLast: string | undefined
    const before = (at: number, what: string): void => {
      this.moves = at + 1
      // where neither time passed nor anything changed since the last move, it finds the host of a death right after that
      if (this.#moment() !== sinceLast) this.deaths.push({ at, before: true })
      this.deaths.push({ at, before: false })
      sinceLast = undefined
      this.onMove(at, what)
    }
    const agent = new Mortal(death, before, () => (sinceLast = this.#moment()))
    const clock = agent.clockOf(this.#clock)
    const told = story(journalOn(this, RUN, clock, agent.move), agent.move, clock)
    return await Promise.race([told, agent.killed.promise])
  }

  #moment(): string {
    return JSON.stringify([this.#clock.now(), this.#beside()])
  }
}

function given({ ports, emit, signal, recheck }: Tools, move: Move, clock: Clock) {
  return {
    recheck,
    ports: { ...ports(move), clock },
    emit: emit ?? (() => undefined),
    signal: signal ?? new AbortController().signal,
  }
}
