import type { Campaign, Run } from './campaigns.ts'
import type { Row } from './document.ts'

/** A control harms by chance, now and then not at all: it is given so many tries to do so. */
const CONTROL_TRIES = 5

/** What came of the campaigns so far. */
export class Counters<Place> {
  readonly #say: (text: string) => void
  readonly #counts: { campaign: Campaign<Place>; trials: number; bad: number; control: string | null }[]

  constructor(campaigns: Campaign<Place>[], say: (text: string) => void) {
    this.#say = say
    this.#counts = campaigns.map((campaign) => ({ campaign, trials: 0, bad: 0, control: null }))
  }

  get rows(): Row[] {
    return this.#counts.map(({ campaign: { name, trials: planned }, trials, bad, control }) => {
      return { name, planned: planned.length, trials, bad, control }
    })
  }

  /** The last line of a soak. */
  get sum(): { trials: number; bad: number; controlsFailed: number } {
    const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0)
    return {
      trials: sum(this.#counts.map(({ trials }) => trials)),
      bad: sum(this.#counts.map(({ bad }) => bad)),
      controlsFailed: this.#counts.filter(({ control }) => control !== null).length,
    }
  }

  /** All is well and proven to be: no bad outcome, no harness that sees nothing. */
  get isGood(): boolean {
    return this.sum.bad === 0 && this.sum.controlsFailed === this.#counts.length
  }

  /** Each planned trial was run. */
  get isComplete(): boolean {
    return this.#counts.every(({ campaign, trials }) => trials === campaign.trials.length)
  }

  async runControls(place: Place): Promise<void> {
    for (const count of this.#counts) {
      const { name, control } = count.campaign
      for (let tries = 0; tries < CONTROL_TRIES && count.control === null; tries++)
        count.control = await this.#firstFlaw(control, place)
      this.#say(`control of "${name}": ${count.control ?? 'NOTHING WRONG WAS SEEN'}`)
    }
  }

  /** A control that breaks has seen nothing. */
  async #firstFlaw(control: Run<Place>, place: Place): Promise<string | null> {
    try {
      return (await control(place))[0] ?? null
    } catch (error) {
      this.#say(`a control broke: ${String(error)}`)
      return null
    }
  }

  /** Each place takes the next trial, the campaigns in turns, so that a short soak has some of each. */
  async runTrials(places: Place[], deadline: number): Promise<void> {
    const queue = interleaved(
      this.#counts.map((count) => count.campaign.trials.map((run) => ({ count, run }))),
    )
    const work = async (place: Place): Promise<void> => {
      for (let next = queue.shift(); next && Date.now() < deadline; next = queue.shift()) {
        const { count, run } = next
        const flaws = await run(place).catch((error: unknown) => [`the trial broke: ${String(error)}`])
        count.trials += 1
        if (flaws.length === 0) continue
        count.bad += 1
        this.#say(`bad: ${count.campaign.name}: ${flaws.join('; ')}`)
      }
    }
    await Promise.all(places.map(work))
  }
}

/** Spreads the lists evenly over the whole, whatever their lengths. */
function interleaved<T>(lists: T[][]): T[] {
  return lists
    .flatMap((list) => list.map((item, i) => ({ item, at: (i + 0.5) / list.length })))
    .sort((one, other) => one.at - other.at)
    .map(({ item }) => item)
}
