import { setFlagsFromString } from 'node:v8'
import type { Config } from '../config/schema.ts'
import { AgentError } from '../core/errors.ts'
import { messageOf } from '../core/message-of.ts'
import type { Report } from '../core/report/report.ts'
import type { RunFigures } from '../core/report/run-figures.ts'
import type { Logger } from '../report/logger.ts'
import { readConfig } from './config-snapshot.ts'
import { json, type Pages, plain } from './http.ts'
import { createJobs, type Jobs } from './jobs.ts'
import { Listeners } from './listeners.ts'
import type { OpenHost } from './look.ts'
import { serviceState } from './loop.ts'
import { metricsPage } from './metrics/page.ts'
import { Notifier } from './notify.ts'
import { Service } from './service.ts'
import { serviceDocument } from './service-status.ts'
import { watchConfig } from './watch.ts'

export interface DaemonParts {
  version: string
  configFile: string
  loadConfig: () => Promise<Config>
  open: OpenHost
  /** What all runs of this host come to. @throws AgentError */
  figures: () => Promise<RunFigures>
  log: Logger
  env: NodeJS.ProcessEnv
  /** Aborted to stop the service: a run in progress is finished or undone first. */
  signal: AbortSignal
}

/** The service: resume, watch the config, apply it, report. Resolves to the last job's report when it was stopped. */
export async function runDaemon(parts: DaemonParts): Promise<Report | null> {
  staySmall()
  const { log, version, configFile } = parts
  const failed = (what: string) => (error: unknown) => {
    log.warn({ err: error }, `cannot ${what}: ${messageOf(error)}`)
  }
  const notifier = new Notifier(parts.env, failed('notify systemd'))
  const { service, doors } = assemble(parts, notifier)
  const changed = (): void => {
    service.changed()
  }
  const watch = await watchConfig(configFile, changed, failed('watch the config'))
  const feeding = feed(notifier, service)
  process.on('SIGHUP', () => {
    service.reload()
  })
  log.info({ event: 'start', version, config: configFile }, 'service started')
  try {
    return await service.run()
  } finally {
    clearInterval(feeding)
    await Promise.all([watch.close(), doors.close(), notifier.flush()])
    log.info({ event: 'stop' }, 'service stopped')
  }
}

function assemble(
  { log, ...parts }: DaemonParts,
  notifier: Notifier,
): { service: Service; doors: Listeners } {
  const jobs = createJobs(parts.open, parts.signal)
  const doors: Listeners = new Listeners(() => pagesOf(service, jobs, parts))
  /** Said once: the config is read every half a minute. */
  let unserved = ''
  const service: Service = new Service({
    look: () => readConfig(parts.loadConfig),
    jobs,
    log,
    signal: parts.signal,
    notify: (notice) => {
      notifier.notify(notice)
    },
    configured: (config) =>
      doors.openAt(config.service).catch((error: unknown) => {
        if (!(error instanceof AgentError)) throw error
        // Two services would change the host in turns.
        if (error.code === 'already-serving' && service.state.job === null) throw error
        const { code, message, fix } = error
        if (message !== unserved) log.error({ event: 'serve', code, fix }, message)
        unserved = message
      }),
  })
  return { service, doors }
}

/** Nothing here is worth a compiler: their code, and what they make of the agent's, stays in memory. */
function staySmall(): void {
  for (const flag of ['--no-opt', '--no-maglev', '--no-sparkplug', '--optimize-for-size'])
    setFlagsFromString(flag)
}

/** Three watchdog messages in the time that systemd waits for one; none from a loop that hangs. */
function feed(notifier: Notifier, service: Service): NodeJS.Timeout | undefined {
  const { watchdogMs } = notifier
  if (watchdogMs === null) return undefined
  return setInterval(() => {
    if (service.turns) notifier.notify({ WATCHDOG: '1' })
  }, watchdogMs / 3)
}

type PageParts = Pick<DaemonParts, 'version' | 'figures'>

function pagesOf(service: Service, jobs: Jobs, { version, figures }: PageParts): Pages {
  const host = shared(async () => (service.config === null ? null : await jobs.look(service.config)))
  const fleet = keptFor(FLEET_EVERY_MS, async () =>
    service.config === null ? null : await jobs.fleet(service.config),
  )
  return {
    '/healthz': () => Promise.resolve(service.turns ? plain(200, 'ok') : plain(503, 'the main loop hangs')),
    '/status': async () =>
      json({
        schema: 1,
        service: { ...serviceDocument(service.status, version), waitedMs: service.waitedMs },
        host: await host(),
      }),
    '/metrics': async (accept) => {
      const [runs, hostSeen, fleetSeen] = await Promise.all([figures().catch(nothing), host(), fleet()])
      const { snapshot } = service.state
      const facts = {
        version,
        state: serviceState(service.state),
        configValid: snapshot && snapshot.kind === 'valid',
        runs,
        host: hostSeen,
        fleet: fleetSeen,
        waitedMs: service.waitedMs,
      }
      return await metricsPage(facts, accept)
    },
  }
}

/** A thousand hosts that are scraped must cost the engine little. */
const FLEET_EVERY_MS = 30_000

/** The last answer, for as long as it is young enough. */
function keptFor<T>(ms: number, ask: () => Promise<T>): () => Promise<T> {
  let last: { at: number; answer: T } | undefined
  const asked = shared(async () => {
    const answer = await ask()
    last = { at: performance.now(), answer }
    return answer
  })
  return async () => (last !== undefined && performance.now() - last.at < ms ? last.answer : await asked())
}

/** Metrics show what there is: a journal that cannot be read is told by the look at the host. */
function nothing(error: unknown): null {
  if (!(error instanceof AgentError)) throw error
  return null
}

/** A request during a look gets that look. */
function shared<T>(ask: () => Promise<T>): () => Promise<T> {
  let asked: Promise<T> | undefined
  return () => {
    asked ??= ask().finally(() => {
      asked = undefined
    })
    return asked
  }
}
