import type { Config } from '../../config/schema.ts'
import { durationMs } from '../../core/duration.ts'
import { AgentError, ExitCode } from '../../core/errors.ts'
import { isOpen, type MaintenanceWindow, windowText } from '../../core/fleet/windows.ts'
import type { Alerts } from '../../ports/alerts.ts'
import type { Clock } from '../../ports/clock.ts'

interface StartRules {
  /** Undefined: at any time. */
  windows: MaintenanceWindow[] | undefined
  /** Alerts whose name matches keep every host from its start. */
  blockOn: { alerts: Alerts; matching: RegExp } | undefined
}

/** What the config says of it; `alertsOf` connects to its Prometheus. */
export async function startRules(
  { windows, blockOn }: NonNullable<Config['fleet']>,
  alertsOf: (url: string) => Promise<Alerts>,
): Promise<StartRules> {
  return {
    windows: windows?.map(({ length, ...rest }) => ({ ...rest, lengthMs: durationMs(length) ?? 0 })),
    blockOn: blockOn && {
      alerts: await alertsOf(blockOn.prometheus),
      matching: new RegExp(blockOn.alerts),
    },
  }
}

/** Whether the service may start on this host now. @throws AgentError `fleet-window`, `fleet-blocked` (exit 75) */
export async function mayStart({ windows, blockOn }: StartRules, clock: Pick<Clock, 'date'>): Promise<void> {
  if (windows !== undefined && !isOpen(windows, clock.date())) throw closed(windows)
  const names = (await blockOn?.alerts.firing()) ?? []
  const blocking = new Set(names.filter((name) => blockOn?.matching.test(name)))
  if (blocking.size > 0) throw blocked([...blocking])
}

function closed(windows: MaintenanceWindow[]): AgentError {
  const when = windows.map(windowText).join('; ')
  return new AgentError('fleet-window', `cannot start: no maintenance window is open: ${when}`, {
    fix: 'wait, or run calico-agent upgrade by hand: only the service keeps to fleet.windows',
    exitCode: ExitCode.deferred,
  })
}

function blocked(names: string[]): AgentError {
  return new AgentError('fleet-blocked', `cannot start: these alerts are firing: ${names.join(', ')}`, {
    fix: 'clear the alert, or change fleet.blockOn; calico-agent upgrade by hand does not ask for alerts',
    exitCode: ExitCode.deferred,
  })
}
