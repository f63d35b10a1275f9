import type { AgentEvent } from '../core/events.ts'
import { oneLine } from './text.ts'

export type Pull = Extract<AgentEvent, { type: 'pull' }>

type LookUp = Extract<AgentEvent, { type: 'look-up' }>

const LEAST_GAP_MS = 2000
const GREATEST_GAP_MS = 10_000
const STEP_PERCENT = 10

/** `45.2 of 61.0 MB, 3 of 7 layers`; sizes are known only once their download begins. */
export function pullText({ currentBytes, totalBytes, layersDone, layers }: Pull): string {
  if (layers === 0) return 'nothing to download yet'
  const size = totalBytes > 0 ? `${megabytes(currentBytes)} of ${megabytes(totalBytes)} MB, ` : ''
  return `${size}${layersDone} of ${layers} layers`
}

/** Why a try is repeated. */
export function retryText({ attempt, reason }: NonNullable<Pull['retry']>): string {
  return `try ${attempt} failed: ${oneLine(reason)}`
}

/** Why there is nothing to show yet. */
export function lookUpText({ image, limitMs, retry }: LookUp): string {
  if (retry) return retryText(retry)
  return `no answer from the registry of ${image} yet; waiting up to ${limitMs / 1000} s`
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1)
}

/** Selects the progress events that get a line: every retry, otherwise one every 10 % or 10 s. */
export function pullPace(): (pull: Pull) => boolean {
  let shownAt = -Infinity
  let shownPercent = 0
  return ({ currentBytes, totalBytes, retry }) => {
    if (retry) return true
    const waited = performance.now() - shownAt
    const percent = totalBytes > 0 ? (100 * currentBytes) / totalBytes : 0
    const further = Math.abs(percent - shownPercent) >= STEP_PERCENT
    if (waited < LEAST_GAP_MS || (!further && waited < GREATEST_GAP_MS)) return false
    shownAt = performance.now()
    shownPercent = percent
    return true
  }
}
