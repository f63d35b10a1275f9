import { expect, it } from 'vitest'
import { pullText } from '../../agent/report/pull-text.ts'

const none = { currentBytes: 0, totalBytes: 0, layersDone: 0, layers: 0 }

it.each([
  ['nothing to download yet', none],
  ['1 of 7 layers', { ...none, layersDone: 1, layers: 7 }],
  ['45.2 of 61.0 MB, 3 of 7 layers', { currentBytes: 45.2e6, totalBytes: 61e6, layersDone: 3, layers: 7 }],
])('a pull shows: %s', (text, sizes) => {
  expect(pullText({ type: 'pull', image: 'calico/node:v2.6.12', ...sizes })).toBe(text)
})
