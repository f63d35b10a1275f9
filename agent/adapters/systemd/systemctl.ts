import { x } from 'tinyexec'
import { AgentError } from '../../core/errors.ts'
import { parseUnitState, type UnitState } from '../../core/unit-state.ts'
import type { Systemd } from '../../ports/systemd.ts'
import { unitOfClient } from './docker-clients.ts'

const QUERY_TIMEOUT_MS = 10_000
/** A restart is bounded by the unit's own time-outs; past this it hangs. */
const JOB_TIMEOUT_MS = 120_000

const PROPERTIES = [
  ...['Id', 'LoadState', 'ActiveState', 'UnitFileState', 'FragmentPath', 'DropInPaths', 'EnvironmentFiles'],
  ...['ExecStart', 'ExecStop', 'Transient', 'NeedDaemonReload', 'Result', 'Job'],
]

/** systemd by `systemctl` (3 ms a call); a host without it has no units. */
export function createSystemd(): Systemd {
  return {
    unitOfClient: (container) => unitOfClient(container),
    containerUnits,
    show,
    daemonReload: () => succeed(['daemon-reload']),
    resetFailed,
    restart,
  }
}

async function containerUnits(): Promise<string[]> {
  const argv = ['show', '--type=service', '--state=active,activating', '--property=Id,ExecStart', '*']
  const { stdout } = await systemctl(argv, QUERY_TIMEOUT_MS)
  return stdout
    .split('\n\n')
    .map(parseUnitState)
    .filter(
      ({ unit, execStart }) => unit !== '' && execStart.some((line) => /\b(docker|podman)\b/.test(line)),
    )
    .map(({ unit }) => unit)
}

async function show(unit: string): Promise<UnitState | null> {
  const { stdout } = await systemctl(['show', `--property=${PROPERTIES.join(',')}`, unit], QUERY_TIMEOUT_MS)
  const state = parseUnitState(stdout)
  return state.unit === '' || state.load === 'not-found' ? null : state
}

/** A unit that never failed has nothing to forget. */
async function resetFailed(unit: string): Promise<void> {
  await systemctl(['reset-failed', unit], QUERY_TIMEOUT_MS)
}

async function restart(unit: string): Promise<void> {
  await systemctl(['restart', unit], JOB_TIMEOUT_MS)
}

async function succeed(argv: string[]): Promise<void> {
  const { exitCode, stderr } = await systemctl(argv, JOB_TIMEOUT_MS)
  if (exitCode === 0) return
  throw new AgentError('systemd-failed', `cannot run systemctl ${argv.join(' ')}: ${stderr.trim()}`, {
    fix: `systemctl ${argv.join(' ')} shows why`,
  })
}

interface Answer {
  exitCode: number | undefined
  stdout: string
  stderr: string
}

async function systemctl(argv: string[], timeout: number): Promise<Answer> {
  try {
    return await x('systemctl', argv, { timeout })
  } catch (error) {
    return { exitCode: undefined, stdout: '', stderr: error instanceof Error ? error.message : String(error) }
  }
}
