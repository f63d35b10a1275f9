import { setTimeout as sleep } from 'node:timers/promises'
import { AgentError, ExitCode } from '../../core/errors.ts'
import { EXEC_KEYS } from '../../core/unit/commands.ts'
import { parseUnitState, STARTED_BY, type UnitState } from '../../core/unit/state.ts'
import type { Systemd } from '../../ports/systemd.ts'
import { cannotStart } from '../program-error.ts'
import { runProgram } from '../run-program.ts'
import { hasClient, unitOfClient } from './docker-clients.ts'
import { enabledUnits } from './enabled-units.ts'

const QUERY_TIMEOUT_MS = 10_000
/** A restart is bounded by the unit's own time-outs; past this it hangs. */
const JOB_TIMEOUT_MS = 120_000

const JOB_POLL_MS = 50

const PROPERTIES = [
  ...['Id', 'LoadState', 'ActiveState', 'UnitFileState', 'FragmentPath', 'DropInPaths', 'EnvironmentFiles'],
  ...['Transient', 'NeedDaemonReload', 'Result', ...EXEC_KEYS, ...STARTED_BY],
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
    stop: (unit) => succeed(['stop', unit]),
    untilIdle,
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

/** Also what is enabled and not loaded, as what a target wants that is not reached. */
async function services(): Promise<UnitState[]> {
  const [loaded, enabled] = await Promise.all([showAll(['--all', '--type=service', '*']), enabledUnits()])
  const known = new Set(loaded.map(({ unit }) => unit))
  const missing = loaded.length === 0 ? [] : enabled.filter((unit) => !known.has(unit))
  if (missing.length === 0) return loaded
  // an alias stands for one that is known
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
