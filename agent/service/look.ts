import type { Config } from '../config/schema.ts'
import { abortable } from '../core/abortable.ts'
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

const HOST_TIMEOUT_MS = 8_000
/** One read, of hosts that may not answer: Prometheus waits for 10 s. */
const FLEET_TIMEOUT_MS = 3_000

/** The host as it is now; null if it cannot be observed. */
export async function lookAtHost(open: OpenHost, config: Config): Promise<StatusReport | null> {
  return await within(HOST_TIMEOUT_MS, async (signal) => {
    const { app, wanted } = await open(config, () => undefined, signal)
    // Without a target: no registry is asked for a scrape.
    return await status(app, askingNothing(wanted))
  })
}

/** What the hosts of its group share; null without a group, or while its engine is away. */
export async function lookAtFleet(open: OpenHost, config: Config): Promise<FleetSummary | null> {
  if (!config.fleet) return null
  return await within(FLEET_TIMEOUT_MS, async (signal) => {
    const { app } = await open(config, () => undefined, signal)
    return (await app.fleet?.control?.summary()) ?? null
  })
}

/** Null for what cannot be seen, or not in time, whether it listens to the signal or not. */
async function within<T>(ms: number, look: (signal: AbortSignal) => Promise<T>): Promise<T | null> {
  const late = AbortSignal.timeout(ms)
  try {
    return await abortable(look(late), late)
  } catch (error) {
    if (!(error instanceof AgentError) && error !== late.reason) throw error
    return null
  }
}
