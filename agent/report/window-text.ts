import type { WindowMark } from '../core/events.ts'
import type { WindowReport } from '../core/report/report.ts'
import { type Colors, progressBar, seconds, setSeconds } from './text.ts'
import { hanging } from './wrap.ts'

/** A moment of the window as text; on the way back, the old BIRD comes up. */
export function markText(mark: WindowMark, unwound: boolean): string {
  if (mark === 'bird-up') return unwound ? 'old BIRD up again' : 'new BIRD up'
  return mark === 'sessions-back' ? 'sessions back' : mark
}

/** What came back, and when; null for what did not. */
export function marksOf(
  { birdDownMs, sessionsBackMs, recoveredMs }: WindowReport,
  unwound: boolean,
): [number | null, string][] {
  return [
    [birdDownMs, markText('bird-up', unwound)],
    [sessionsBackMs, markText('sessions-back', unwound)],
    [recoveredMs, markText('recovered', unwound)],
  ]
}

const BAR_WIDTH = 44

/** The timeline of the window, from the last moment of the BIRD that was replaced. */
export function windowLines(
  window: WindowReport,
  unwound: boolean,
  { colors, columns }: { colors: Colors; columns: number | undefined },
): string[] {
  const { budgetMs, usedMs } = window
  const moments: [number | null, string][] = [
    [0, unwound ? 'BIRD killed' : 'old BIRD killed'],
    ...marksOf(window, unwound),
  ]
  return [
    ...hanging('window   ', verdict(window, colors), columns),
    ...moments.flatMap(([ms, text]) => (ms === null ? [] : [`  ${seconds(ms, 3).padStart(9)}  ${text}`])),
    ...(usedMs === null ? [] : [`  ${progressBar(usedMs, budgetMs, BAR_WIDTH)}`]),
  ]
}

function verdict({ usedMs, budgetMs }: WindowReport, colors: Colors): string {
  const budget = setSeconds(budgetMs)
  if (usedMs === null) return colors.yellow(`${budget}, and not everything came back`)
  const text = `${seconds(usedMs)} of ${budget} used`
  return usedMs <= budgetMs ? colors.green(text) : colors.red(`${text}: the peers may have withdrawn routes`)
}
