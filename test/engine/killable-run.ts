import type { Emit } from '../../agent/core/events.ts'
import type { Plan } from '../../agent/core/plan/plan.ts'
import { execute } from '../../agent/engine/execute.ts'
import { resume } from '../../agent/engine/resume.ts'
import type { Journal } from '../../agent/journal/journal.ts'
import { decodeJournal } from '../../agent/journal/record.ts'
import { applyRecord, type RunState } from '../../agent/journal/run-state.ts'
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
  readonly #clock: FakeClock

  constructor(clock: FakeClock) {
    this.#clock = clock
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
    return await this.drive(death, async (journal, move) => {
      await journal.append({ type: 'run', order: 1, agent: 'test', plan, problems: [] })
      return await execute({ journal, ...given(tools, move) })
    })
  }

  /** What `agent resume` does: from the journal alone, if it is not finished. */
  async resume(tools: Tools, death?: Death): Promise<string> {
    const state = this.state()
    if (state === null) return 'nothing'
    if (state.outcome !== null) return state.outcome
    return await this.drive(death, (journal, move) => resume({ journal, ...given(tools, move) }))
  }

  /** Tells the story to its end, or to the death. */
  async drive(
    death: Death | undefined,
    story: (journal: Journal, move: Move) => Promise<string>,
  ): Promise<string> {
    const agent = new Mortal(death, (move, what) => {
      this.moves = move + 1
      this.onMove(move, what)
    })
    const told = story(journalOn(this, RUN, this.#clock, agent.move), agent.move)
    return await Promise.race([told, agent.killed.promise])
  }
}

function given({ ports, emit, signal, recheck }: Tools, move: Move) {
  return {
    recheck,
    ports: ports(move),
    emit: emit ?? (() => undefined),
    signal: signal ?? new AbortController().signal,
  }
}
