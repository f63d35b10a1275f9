import type { Config } from '../config/schema.ts'
import { AgentError } from '../core/errors.ts'
import type { Emit } from '../core/events.ts'
import type { FleetSummary } from '../core/fleet/view.ts'
import type { StatusReport } from '../core/report/status.ts'
import { askingNothing, type Wanted } from '../core/wanted.ts'
import type { App } from '../stories/app.ts'
import { status } from '../stories/status.ts'

export interface OpenedHost {
  app: App
  wanted: Wanted
  /** Leaves the host unlocked. */
  end: () => void
}

export type OpenHost = (
  config: Config,
  emit: Emit,
  signal: AbortSignal,
  /** Ends a wait for other hosts. */
  wait?: AbortSignal,
) => Promise<OpenedHost>

const LOOK_TIMEOUT_MS = 8_000

/** The host as it is now; null if it cannot be observed. */
export async function lookAtHost(open: OpenHost, config: Config): Promise<StatusReport | null> {
  const late = new AbortController()
  const timer = setTimeout(() => {
    late.abort()
  }, LOOK_TIMEOUT_MS)
  try {
    const { app, wanted } = await open(config, () => undefined, late.signal)
    // Without a target: no registry is asked for a scrape.
    return await status(app, askingNothing(wanted))
  } catch (error) {
    if (!(error instanceof AgentError) && error !== late.signal.reason) throw error
    return null
  } finally {
    clearTimeout(timer)
  }
}

/** What the hosts of its group share; null without a group, or while its engine is away. */
export async function lookAtFleet(
  open: OpenHost,
  config: Config,
  signal: AbortSignal,
): Promise<FleetSummary | null> {
  if (!config.fleet) return null
  try {
    const { app } = await open(config, () => undefined, signal)
    return (await app.fleet?.control?.summary()) ?? null
  } catch (error) {
    if (!(error instanceof AgentError)) throw error
    return null
  }
}
