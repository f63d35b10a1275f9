import { AgentError } from '../../core/errors.ts'
import { EXEC_KEYS } from '../../core/unit/commands.ts'
import { parseUnitState, STARTED_BY, type UnitState } from '../../core/unit/state.ts'
import type { Systemd } from '../../ports/systemd.ts'
import { cannotStart } from '../program-error.ts'
import { runProgram } from '../run-program.ts'
import { alongWith } from './along.ts'
import { hasClient, unitOfClient } from './docker-clients.ts'
import { enabledUnits } from './enabled-units.ts'

const QUERY_TIMEOUT_MS = 10_000
/** A reload runs generators; after this it hangs. */
const JOB_TIMEOUT_MS = 120_000

const PROPERTIES = [
  ...['Id', 'LoadState', 'ActiveState', 'UnitFileState', 'FragmentPath', 'DropInPaths', 'EnvironmentFiles'],
  ...[
    'SubState',
    'Type',
    'Job',
    'Transient',
    'NeedDaemonReload',
    'Result',
    'ExecMainStatus',
    ...EXEC_KEYS,
    ...STARTED_BY,
  ],
].join(',')

/** systemd by `systemctl` (3 ms a call); a host without it has no units. */
export function createSystemd(): Systemd {
  return {
    unitOfClient: (container) => unitOfClient(container),
    services: sharedWhileUnderWay(services),
    show,
    daemonReload: () => succeed(['daemon-reload']),
    resetFailed,
    restart,
    // such a client survives when the agent that started it is killed
    isAsked: (unit) => hasClient(['systemctl', ...restartOf(unit)]),
    along: (unit) => alongWith(unit, (argv) => systemctl(argv, QUERY_TIMEOUT_MS)),
    // only this unit: units that require it keep running
    stop: (unit) => succeed(['stop', '--job-mode=ignore-requirements', unit]),
  }
}

/** The looks at node and controllers ask at the same time: PID 1 answers once. */
function sharedWhileUnderWay<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined
  return () => {
    answer ??= ask().finally(() => (answer = undefined))
    return answer
  }
}

/** Also units that are enabled but not loaded, such as those wanted by an inactive target. */
async function services(): Promise<UnitState[]> {
  const [loaded, enabled] = await Promise.all([showAll(['--all', '--type=service', '*']), enabledUnits()])
  const known = new Set(loaded.map(({ unit }) => unit))
  const missing = loaded.length === 0 ? [] : enabled.filter((unit) => !known.has(unit))
  if (missing.length === 0) return loaded
  // an alias names a unit that is already known
  const further = (await showAll(['--', ...missing])).filter(({ unit }) => !known.has(unit))
  return [...loaded, ...further]
}

async function showAll(which: string[]): Promise<UnitState[]> {
  const { stdout } = await systemctl(['show', `--property=${PROPERTIES}`, ...which], QUERY_TIMEOUT_MS)
  const states = stdout.split('\n\n').map(parseUnitState)
  return states.filter(({ unit, load }) => unit !== '' && load !== 'not-found')
}

async function show(unit: string): Promise<UnitState | null> {
  const { stdout } = await systemctl(['show', `--property=${PROPERTIES}`, unit], QUERY_TIMEOUT_MS)
  const state = parseUnitState(stdout)
  return state.unit === '' || state.load === 'not-found' ? null : state
}

/** A unit that never failed has nothing to forget. */
async function resetFailed(unit: string): Promise<void> {
  await systemctl(['reset-failed', unit], QUERY_TIMEOUT_MS)
}

async function restart(unit: string): Promise<void> {
  await succeed(restartOf(unit))
}

/** What the unit requires is up, and what requires it is left running: measured with systemd 252. */
function restartOf(unit: string): string[] {
  return ['restart', '--no-block', '--job-mode=ignore-requirements', unit]
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
    // if it does not exist, there is no systemd
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      throw cannotStart('systemd-failed', 'systemctl', error as Error)
    return { exitCode: null, stdout: '', stderr: 'systemctl is not in PATH' }
  }
}
