import { AgentError, ExitCode } from '../../core/errors.ts'
import type { Fleet, FleetControl } from '../../ports/fleet.ts'
import type { App } from '../app.ts'

/** @throws AgentError `no-fleet` (exit 2) */
export function fleetOf({ fleet }: Pick<App, 'fleet'>): Fleet {
  if (fleet !== null) return fleet
  throw new AgentError('no-fleet', 'cannot use the fleet commands: the config has no fleet section', {
    fix: 'configure one of fleet.etcd, fleet.kubernetes and fleet.fleetlock',
    exitCode: ExitCode.usage,
  })
}

/** @throws AgentError `no-fleet`, `fleet-unsupported` (exit 2) */
export function controlOf(app: Pick<App, 'fleet'>): FleetControl {
  const { control } = fleetOf(app)
  if (control !== null) return control
  throw new AgentError(
    'fleet-unsupported',
    'cannot do this: a FleetLock server only gives slots and takes them back',
    {
      fix: 'its own log and metrics show who has one; calico-agent fleet release HOST takes one away',
      exitCode: ExitCode.usage,
    },
  )
}
