import type { Journal } from '../../agent/journal/journal.ts'
import { decodeJournal } from '../../agent/journal/record.ts'
import { applyRecord, type RunState } from '../../agent/journal/run-state.ts'
import type { FakeClock } from '../fakes/clock.ts'
import { journalOn, Mortal } from './mortal.ts'
import type { Death, Move } from './moves.ts'

/** The journal of one run on a disk, and an agent that may die at any of its moves. */
export class KillableRun {
  text = ''
  moves = 0
  /** Called before each move. */
  onMove: (move: number, what: string) => void = () => undefined
  readonly #clock: FakeClock

  constructor(clock: FakeClock) {
    this.#clock = clock
  }

  state(): RunState | null {
    return decodeJournal(this.text, 'run').records.reduce<RunState | null>(applyRecord, null)
  }

  /** Tells the story to its end, or to the death. */
  async drive(
    death: Death | undefined,
    story: (journal: Journal, move: Move) => Promise<string>,
  ): Promise<string> {
    const agent = new Mortal(death, (move, what) => {
      this.onMove(move, what)
    })
    const told = story(journalOn(this, 'run', this.#clock, agent.move), agent.move)
    const ended = await Promise.race([told, agent.killed.promise])
    this.moves = agent.moves
    return ended
  }
}
