import { Journal } from '../../agent/journal/journal.ts'
import { decodeJournal } from '../../agent/journal/record.ts'
import type { Clock } from '../../agent/ports/clock.ts'
import type { Death, Move } from './moves.ts'

const never = <T>(): Promise<T> => new Promise<T>(() => undefined)

/** An agent that dies at one of its moves. */
export class Mortal {
  moves = 0
  readonly killed = Promise.withResolvers<string>()
  readonly #death: Death | undefined
  readonly #beforeMove: (move: number, what: string) => void
  readonly #afterMove: () => void
  #dead = false

  constructor(
    death: Death | undefined,
    beforeMove: (move: number, what: string) => void = () => undefined,
    afterMove: () => void = () => undefined,
  ) {
    this.#death = death
    this.#beforeMove = beforeMove
    this.#afterMove = afterMove
  }

  readonly move: Move = async (what, make) => {
    if (this.#dead) return await never()
    const mine = this.moves++
    this.#beforeMove(mine, what)
    if (mine !== this.#death?.at) return await make().finally(this.#afterMove)
    // nobody hears the answer, whatever it is
    if (this.#death.asked === true) void make().catch(() => undefined)
    else if (!this.#death.before) await make()
    this.#dead = true
    this.killed.resolve('killed')
    return await never()
  }

  /** The clock as the agent has it: none of its loops goes on after its death. */
  clockOf(clock: Clock): Clock {
    const sleep = async (ms: number, signal?: AbortSignal): Promise<void> => {
      if (!this.#dead) await clock.sleep(ms, signal)
      if (this.#dead) await never()
    }
    return { now: () => clock.now(), date: () => clock.date(), bootId: () => clock.bootId(), sleep }
  }
}

/** The journal of one run, whose text is the disk; each record is a move. */
export function journalOn(disk: { text: string }, run: string, clock: Clock, move: Move): Journal {
  const append = (text: string): Promise<void> =>
    move('append', () => {
      disk.text += text
      return Promise.resolve()
    })
  const file = { append, close: () => Promise.resolve() }
  return new Journal(file, clock, decodeJournal(disk.text, run).records)
}
