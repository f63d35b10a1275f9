/** What was measured of one thing, a value a round; milliseconds. */
export interface Series {
  label: string
  values: number[]
}

export interface Summary {
  median: number
  min: number
  max: number
}

export interface Ratio {
  ofMedians: number
  /** Of the values of one round each; null where the two were not measured in pairs. */
  medianOfPairs: number | null
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.slice(Math.floor((sorted.length - 1) / 2), Math.floor(sorted.length / 2) + 1)
  if (middle.length === 0) throw new Error('cannot take the median of nothing')
  return middle.reduce((sum, value) => sum + value) / middle.length
}

export function summary(values: readonly number[]): Summary {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values) }
}

export function ratio(values: readonly number[], base: readonly number[]): Ratio {
  const inPairs = values.length === base.length
  return {
    ofMedians: median(values) / median(base),
    medianOfPairs: inPairs ? median(values.map((value, round) => value / (base[round] ?? NaN))) : null,
  }
}

/** From when to when, on one clock. */
export interface Interval {
  start: number
  end: number
}

/** How long at least one of the intervals went on. */
export function coveredMs(intervals: readonly Interval[]): number {
  let covered = 0
  let until = -Infinity
  for (const { start, end } of intervals.toSorted((a, b) => a.start - b.start)) {
    covered += Math.max(0, end - Math.max(start, until))
    until = Math.max(until, end)
  }
  return covered
}
