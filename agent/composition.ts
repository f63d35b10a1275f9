import { randomBytes } from 'node:crypto'
import { readRegularFile } from './adapters/atomic-file.ts'
import { createBird } from './adapters/bird.ts'
import { createClock } from './adapters/clock.ts'
import { createCniBinaries } from './adapters/cni-binaries/cni-binaries.ts'
import { connectDocker } from './adapters/docker/engine.ts'
import { createHost } from './adapters/host.ts'
import { acquireHostLock } from './adapters/host-lock.ts'
import { createKernelRoutes } from './adapters/kernel-routes.ts'
import { createProbe } from './adapters/probe.ts'
import { openStateDir, runsDir } from './adapters/state-dir.ts'
import type { App } from './app.ts'
import { runCli } from './commands/cli.ts'
import type { Environment, Need, Opened } from './commands/environment.ts'
import { type CommonOptions, DEFAULT_CONFIG } from './commands/options.ts'
import type { Config } from './config/schema.ts'
import { ExitCode } from './core/errors.ts'
import type { Emit } from './core/events.ts'
import { checkAllowed } from './core/preflight.ts'
import { type JournalFiles, RunStore, runName } from './journal/store.ts'
import type { Bird } from './ports/bird.ts'
import type { CniBinaries } from './ports/cni-binaries.ts'
import type { Docker } from './ports/docker.ts'
import type { KernelRoutes } from './ports/kernel-routes.ts'
import { logEvents } from './report/log-events.ts'
import { createLogger } from './report/logger.ts'
import { createProgress } from './report/progress.ts'
import { bindStep } from './steps/registry.ts'
import { stopSignal } from './stop-signal.ts'

declare const AGENT_VERSION: string | undefined
const version = typeof AGENT_VERSION === 'string' ? AGENT_VERSION : '0.0.0-dev'

const color = process.stdout.isTTY && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb'
const journald = process.env['JOURNAL_STREAM'] !== undefined

/** The adapters by which the agent changes things. */
export interface Outside {
  docker: Docker
  bird: Bird
  routes: KernelRoutes
  cni: CniBinaries
  journals: JournalFiles
}

/**
 * Runs the command line: the only place that constructs adapters. `decorate` may wrap them; test builds put fault
 * points there.
 */
export async function runAgent(decorate = (outside: Outside): Outside => outside): Promise<void> {
  // A pipe that is closed (agent upgrade | head) must not end a run in its window.
  process.stdout.on('error', () => undefined)
  const environment: Environment = {
    version,
    color,
    open: (options, need) => open(options, need, decorate),
    print: (text) => {
      process.stdout.write(`${text}\n`)
    },
    exit: (code) => {
      process.exitCode = code
    },
  }
  try {
    await runCli(process.argv.slice(2), environment)
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    process.stderr.write(`agent: internal error: ${text}\n`)
    process.exitCode = ExitCode.bug
  }
  // Connections to Docker are kept open: wait for the output only.
  process.stdout.write('', () => process.exit())
}

async function open(
  options: CommonOptions,
  need: Need,
  decorate: (outside: Outside) => Outside,
): Promise<Opened> {
  // Loaded when it is needed: --help and --version read no config.
  const { loadConfig, MAX_CONFIG_BYTES, mergeFlags } = await import('./config/load.ts')
  const { checkTarget, partsOf, wantedOf } = await import('./config/wanted.ts')
  const file = options.config ?? DEFAULT_CONFIG
  const fileConfig = await loadConfig(file, options.config !== undefined, (path) =>
    readRegularFile(path, { maxBytes: MAX_CONFIG_BYTES }),
  )
  const config = mergeFlags(fileConfig, options)
  checkAllowed(options.allow ?? [])
  const only = partsOf(options.only)
  const wanted = wantedOf(config, options.allow ?? [], only)
  if (need.target) checkTarget(wanted, file, only)

  const clock = createClock()
  const screen = createScreen(options, need)
  const { docker, bird, routes, cni, journals } = decorate(outsideOf(config, options))
  const app: App = {
    version,
    ports: { docker, bird, routes, cni, probe: createProbe(), host: createHost(), clock },
    runs: new RunStore(journals, clock),
    lock: async (command) => {
      await openStateDir(options.stateDir)
      await acquireHostLock(options.stateDir, { command })
    },
    newRun: () => runName(clock.date(), randomBytes(2).toString('hex')),
    keepRuns: config.retention.runs,
    emit: screen.emit,
    signal: need.progress ? stopSignal() : new AbortController().signal,
  }
  return { app, wanted, end: screen.end }
}

function outsideOf(config: Config, { stateDir }: CommonOptions): Outside {
  const docker = connectDocker({ socket: config.docker.socket })
  const exec: Docker['exec'] = (container, argv, timeoutMs) => docker.exec(container, argv, timeoutMs)
  return {
    docker,
    bird: createBird(exec),
    routes: createKernelRoutes(),
    cni: createCniBinaries(docker),
    journals: runsDir(stateDir),
  }
}

/** Progress on stdout for people, the log on stderr; a JSON document has stdout for itself. */
function createScreen(
  { json, logLevel }: CommonOptions,
  { progress }: Need,
): { emit: Emit; end: () => void } {
  const log = logEvents(createLogger({ level: logLevel ?? (json || journald ? 'info' : 'silent'), journald }))
  if (json || !progress) return { emit: log, end: () => undefined }
  const shown = createProgress({
    // Log lines on the same terminal would land inside what is redrawn.
    tty: process.stdout.isTTY && process.env['TERM'] !== 'dumb' && logLevel === undefined,
    color,
    write: (text) => process.stdout.write(text),
    describe: (step) => bindStep(step).summary,
    size: () => ({ columns: process.stdout.columns, rows: process.stdout.rows }),
  })
  return {
    emit: (event) => {
      log(event)
      shown.emit(event)
    },
    end: shown.end,
  }
}
