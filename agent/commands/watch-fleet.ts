import { setTimeout as pause } from 'node:timers/promises'
import { AgentError } from '../core/errors.ts'
import type { FleetView } from '../core/fleet/view.ts'
import { hostLine, renderFleet } from '../report/fleet.ts'
import { shownJson } from '../report/json.ts'
import { Screen } from '../report/screen.ts'
import type { Environment } from './environment.ts'

/** One screen asks, and not each host. */
const EVERY_MS = 2_000

/**
 * Shows the rollout until it is stopped, or until nobody can read it: in place on a terminal, elsewhere a line for each host
 * that changes.
 */
export async function watchFleet(
  { stdout, stopSignal, terminal, text }: Environment,
  view: () => Promise<FleetView>,
  json: boolean,
): Promise<void> {
  const signal = stopSignal()
  const tty = json ? null : terminal()
  const screen = tty && new Screen(tty)
  const said = new Map<string, string>()
  const say = (line: string): void => {
    stdout.write(`${line}\n`)
  }
  const show = (seen: FleetView): void => {
    if (screen) screen.draw(renderFleet(seen, { color: text.color, now: new Date() }).split('\n'))
    else for (const line of news(seen, said, json)) say(line)
  }
  while (!signal.aborted) {
    try {
      const seen = await view()
      // what it has not read yet is old news
      if (!stdout.isPending) show(seen)
    } catch (error) {
      // the engine may be back for the next look
      if (!(error instanceof AgentError && error.isTransient)) throw error
      if (screen) screen.draw([error.message])
      else if (once(said, 'away', error.message))
        say(json ? shownJson({ schema: 1, problems: error.asProblems() }) : error.message)
    }
    if (stdout.isGone) return
    await pause(EVERY_MS, undefined, { signal }).catch(() => undefined)
  }
}

/** What differs from what was said before; what passes by itself, such as a time, is no news. */
function news(view: FleetView, said: Map<string, string>, json: boolean): string[] {
  said.delete('away')
  if (json) {
    const text = shownJson({ schema: 1, ...view, problems: [] })
    return once(said, 'all', text) ? [text] : []
  }
  const now = new Date()
  const changed = view.hosts.filter(({ host, state, run }) =>
    once(said, `host ${host}`, `${state} ${run ?? ''}`),
  )
  const halt = view.halted === null ? 'not halted' : 'halted'
  const summary = `${view.done} of ${view.total} hosts done`
  return [
    ...changed.map((host) => hostLine(host, now)),
    ...(once(said, 'done', `${summary}, ${halt}`) ? [`group ${view.group}: ${summary}, ${halt}`] : []),
  ]
}

function once(said: Map<string, string>, about: string, text: string): boolean {
  const isNew = said.get(about) !== text
  said.set(about, text)
  return isNew
}
