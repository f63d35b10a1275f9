import { describe, expect, test } from 'vitest'
import { figuresOf, section, withSections } from '../../scripts/benchmarks/document.ts'
import type { Part } from '../../scripts/benchmarks/part.ts'
import { coveredMs, median, ratio, summary } from '../../scripts/benchmarks/statistics.ts'

describe('statistics', () => {
  test.each([
    [[3], 3],
    [[10, 2, 9], 9],
    [[10, 1, 2, 4], 3],
  ])('the median of %j is %d', (values, expected) => {
    expect(median(values)).toBe(expected)
    expect(summary(values)).toEqual({
      median: expected,
      min: Math.min(...values),
      max: Math.max(...values),
    })
  })

  test('there is no median of nothing', () => {
    expect(() => median([])).toThrow('cannot take the median of nothing')
  })

  test('a ratio of medians is not the median of the rounds', () => {
    expect(ratio([1, 4, 9], [1, 2, 10])).toEqual({ ofMedians: 2, medianOfPairs: 1 })
  })

  test('one control makes no pairs', () => {
    expect(ratio([2, 4, 6], [8])).toEqual({ ofMedians: 0.5, medianOfPairs: null })
  })

  test.each([
    ['none', [], 0],
    [
      'apart',
      [
        [0, 2],
        [5, 6],
      ],
      3,
    ],
    [
      'overlapping, in any order',
      [
        [4, 9],
        [0, 5],
      ],
      9,
    ],
    [
      'one within another',
      [
        [0, 10],
        [2, 3],
        [9, 12],
      ],
      12,
    ],
  ])('covered time: %s', (_, intervals, expected) => {
    expect(coveredMs(intervals.map(([start = NaN, end = NaN]) => ({ start, end })))).toBe(expected)
  })
})

const part: Part = {
  name: 'gap',
  title: 'how long BIRD is down',
  how: 'By a connection a millisecond.',
  meaning: 'Shorter is better.',
  ratios: [
    { key: 'gapVsDocs', of: 'agent', to: 'document', atMost: 0.7 },
    { key: 'docsVsAgent', of: 'document', to: 'agent', atMost: 1 },
  ],
  measure: () => Promise.resolve([]),
}

const series = [
  { label: 'agent', values: [90.25, 120, 150] },
  { label: 'document', values: [200, 240, 250] },
]

test("a part's section", () => {
  expect(section(part, series, '2026-11-23; 2 cores')).toBe(`## gap: how long BIRD is down

By a connection a millisecond.

| ms       | median | min  | max | rounds |
| -------- | ------ | ---- | --- | ------ |
| agent    | 120    | 90.3 | 150 | 3      |
| document | 240    | 200  | 250 | 3      |

| ratio                           | of medians | median of pairs | target            |
| ------------------------------- | ---------- | --------------- | ----------------- |
| \`gapVsDocs\`: agent / document   | 0.50       | 0.50            | at most 0.7: met  |
| \`docsVsAgent\`: document / agent | 2.00       | 2.00            | at most 1: missed |

Shorter is better.

\`./scripts/bench --only gap\`: 2026-11-23; 2 cores.`)
})

test('a part whose figures are targets as they stand', () => {
  const figures = [
    { key: 'cpu', of: 'agent', atMost: 100 },
    { key: 'peak', of: 'document' },
  ]
  const text = section({ ...part, ratios: [], figures }, series, 'a machine')
  expect(text).not.toContain('ratio')
  expect(text).toContain(`| median           |        | target              |
| ---------------- | ------ | ------------------- |
| \`cpu\`: agent     | 120.00 | at most 100: missed |
| \`peak\`: document | 240.00 | -                   |`)
  expect(figuresOf({ ...part, figures }, series).map(({ found }) => found)).toEqual([120, 240])
})

describe('the document', () => {
  const parts = ['gap', 'dead-peer', 'start']
  const of = (...names: string[]): Map<string, string> =>
    new Map(names.map((name) => [name, `## ${name}: title\n\nfirst ${name}`]))
  const headings = (text: string): string[] => text.match(/^#+ .*/gm) ?? []

  test('a whole run writes all parts in their order, below the head', () => {
    const text = withSections(undefined, of('start', 'gap', 'dead-peer'), parts)
    expect(headings(text)).toEqual([
      '# Benchmarks',
      '## gap: title',
      '## dead-peer: title',
      '## start: title',
    ])
  })

  test('one part is replaced, the others stay to the letter', () => {
    const before = withSections(undefined, of('gap', 'dead-peer', 'start'), parts)
    const after = withSections(before, new Map([['dead-peer', '## dead-peer: title\n\nsecond']]), parts)
    expect(after).toBe(before.replace('first dead-peer', 'second'))
  })

  test('a part that was not measured before gets its place', () => {
    const after = withSections(withSections(undefined, of('start'), parts), of('gap'), parts)
    expect(headings(after)).toEqual(['# Benchmarks', '## gap: title', '## start: title'])
  })

  test('what is no longer a part goes', () => {
    const before = withSections(undefined, of('gap', 'start'), parts)
    expect(headings(withSections(before, of('gap'), ['gap']))).toEqual(['# Benchmarks', '## gap: title'])
  })
})
