import { type AppendFile, Journal } from '../../agent/journal/journal.ts'
import { decodeJournal } from '../../agent/journal/record.ts'
import type { RunState } from '../../agent/journal/run-state.ts'
import type { FakeClock } from '../fakes/clock.ts'
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
    const { records } = decodeJournal(this.text, 'run')
    return records.length === 0 ? null : new Journal(this.#file(), this.#clock, records).state
  }

  /** Tells the story to its end, or to the death. */
  async drive(
    death: Death | undefined,
    story: (journal: Journal, move: Move) => Promise<string>,
  ): Promise<string> {
    const killed = Promise.withResolvers<string>()
    let dead = false
    this.moves = 0
    const move: Move = async (what, make) => {
      if (dead) return await new Promise<never>(() => undefined)
      const mine = this.moves++
      this.onMove(mine, what)
      if (mine !== death?.at) return await make()
      if (!death.before) await make()
      dead = true
      killed.resolve('killed')
      return await new Promise<never>(() => undefined)
    }
    const file = this.#file()
    const append = (text: string) => move('append', () => file.append(text))
    const journal = new Journal({ ...file, append }, this.#clock, decodeJournal(this.text, 'run').records)
    return await Promise.race([story(journal, move), killed.promise])
  }

  #file(): AppendFile {
    return {
      append: (text) => {
        this.text += text
        return Promise.resolve()
      },
      close: () => Promise.resolve(),
    }
  }
}
