import type { Host, Lab, Mesh } from '../../test/lab/index.ts'
import { untilQuiet } from './quiet.ts'
import type { Series } from './statistics.ts'

/** What the parts work on. */
export interface Stage {
  lab: Lab
  mesh: Mesh
  /** Whose calico/node is replaced; the mesh's other host is its peer. */
  host: Host
  /** The agent's executable on the host. */
  agent: string
  rounds: number
}

export interface Part {
  name: string
  title: string
  /** What is measured, and how. */
  how: string
  /** What the figures mean. */
  meaning: string
  ratios: WantedRatio[]
  /** Fields of the JSON line that are no ratios. */
  totals?(series: Series[]): Record<string, number>
  /** Two where it is not said. */
  hosts?: number
  /** Ten where it is not said. */
  rounds?: number
  /** Medians that are targets as they stand. */
  figures?: WantedFigure[]
  measure(stage: Stage): Promise<Series[]>
}

/** One field of the JSON line: the series labelled `of`, in units of the one labelled `to`. */
export interface WantedRatio {
  key: string
  of: string
  to: string
  atMost?: number
}

/** One field of the JSON line: the median of the series labelled `of`. */
export interface WantedFigure {
  key: string
  of: string
  atMost?: number
}

/** One line of progress. */
export function say(text: string): void {
  process.stderr.write(`bench: ${text}\n`)
}

/** Measures each way once a round; each round begins with another one, so that none always follows the same. */
export async function alternate(
  part: string,
  rounds: number,
  ways: Record<string, () => Promise<number>>,
): Promise<Series[]> {
  const all = Object.entries(ways).map(([label, measure]) => ({ label, measure, values: [] as number[] }))
  for (let round = 0; round < rounds; round++) {
    const first = round % all.length
    for (const way of [...all.slice(first), ...all.slice(0, first)]) {
      await untilQuiet()
      way.values.push(await way.measure())
    }
    sayRound(part, round, rounds, all)
  }
  return all.map(({ label, values }) => ({ label, values }))
}

export function sayRound(part: string, round: number, rounds: number, series: readonly Series[]): void {
  const figures = series.map(({ label, values }) => `${label} ${values.at(-1)?.toFixed(1) ?? '-'} ms`)
  say(`${part} ${round + 1}/${rounds}: ${figures.join(', ')}`)
}
