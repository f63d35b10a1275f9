import { setTimeout as sleep } from 'node:timers/promises'
import { AgentError, ExitCode } from '../../core/errors.ts'
import { parseUnitState, type UnitState } from '../../core/unit/state.ts'
import type { Systemd } from '../../ports/systemd.ts'
import { cannotStart } from '../program-error.ts'
import { runProgram } from '../run-program.ts'
import { hasClient, unitOfClient } from './docker-clients.ts'

const QUERY_TIMEOUT_MS = 10_000
/** A restart is bounded by the unit's own time-outs; past this it hangs. */
const JOB_TIMEOUT_MS = 120_000

const JOB_POLL_MS = 50

const PROPERTIES = [
  ...['Id', 'LoadState', 'ActiveState', 'UnitFileState', 'FragmentPath', 'DropInPaths', 'EnvironmentFiles'],
  ...['ExecStart', 'ExecStop', 'Transient', 'NeedDaemonReload', 'Result'],
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
    untilIdle,
  }
}

const KEEPER = 'Id,ExecStart,ActiveState,UnitFileState'

const hasFailed = ({ active }: UnitState): boolean => active === 'failed'

async function containerUnits(): Promise<string[]> {
  const argv = ['show', '--type=service', '--state=active,activating,failed', `--property=${KEEPER}`, '*']
  const { stdout } = await systemctl(argv, QUERY_TIMEOUT_MS)
  const units = stdout
    .split('\n\n')
    .map(parseUnitState)
    .filter(
      ({ unit, execStart }) => unit !== '' && execStart.some((line) => /\b(docker|podman)\b/.test(line)),
    )
  const [failed, up] = [units.filter(hasFailed), units.filter((unit) => !hasFailed(unit))]
  return [...up, ...failed.filter(({ fileState }) => fileState === 'enabled')].map(({ unit }) => unit)
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

/** A client that is at work has asked, or is about to: it lives on when the agent that started it is killed. */
async function untilIdle(unit: string): Promise<void> {
  const end = performance.now() + JOB_TIMEOUT_MS
  while ((await hasClient(['systemctl', 'restart', unit])) || (await hasJob(unit))) {
    if (performance.now() > end) {
      throw new AgentError('unit-busy', `cannot go on with ${unit}: systemd does not finish its job`, {
        fix: `systemctl list-jobs; systemctl status ${unit}; then agent resume`,
        exitCode: ExitCode.stuck,
      })
    }
    await sleep(JOB_POLL_MS)
  }
}

async function hasJob(unit: string): Promise<boolean> {
  const { stdout } = await systemctl(['show', '--property=Job', unit], QUERY_TIMEOUT_MS)
  return /^Job=[1-9]/m.test(stdout)
}

async function succeed(argv: string[]): Promise<void> {
  const { exitCode, stderr } = await systemctl(argv, JOB_TIMEOUT_MS)
  if (exitCode === 0) return
  throw new AgentError('systemd-failed', `cannot run systemctl ${argv.join(' ')}: ${stderr.trim()}`, {
    fix: `systemctl ${argv.join(' ')} shows why`,
  })
}

interface Answer {
  exitCode: number | null
  stdout: string
  stderr: string
}

async function systemctl(argv: string[], timeout: number): Promise<Answer> {
  try {
    return await runProgram('systemctl', argv, timeout)
  } catch (error) {
    // only where it is not there is no systemd
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      throw cannotStart('systemd-failed', 'systemctl', error as Error)
    return { exitCode: null, stdout: '', stderr: 'systemctl is not on the PATH' }
  }
}
