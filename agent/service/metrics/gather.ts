import { type Config, configSchema } from '../../config/schema.ts'
import { AgentError, type Problem } from '../../core/errors.ts'
import type { RunFigures } from '../../core/report/run-figures.ts'
import { askService } from '../ask.ts'
import { lookAtFleet, lookAtHost, type OpenHost } from '../look.ts'
import type { Facts } from './metrics.ts'

export interface Sources {
  version: string
  loadConfig: () => Promise<Config>
  /** @throws AgentError */
  figures: () => Promise<RunFigures>
  open: OpenHost
}

/** The facts outside the service: one that runs tells its state and what it sees; without one, this process looks. */
export async function gather(sources: Sources): Promise<{ facts: Facts; problems: Problem[] }> {
  const problems: Problem[] = []
  const config = await toldOr(problems, sources.loadConfig())
  const runs = await toldOr(problems, sources.figures())
  const answer = await askService((config ?? configSchema.parse({})).service.socket)
  const host = answer ? answer.host : config && (await lookAtHost(sources.open, config))
  const fleet = config && (await lookAtFleet(sources.open, config))
  const { state = null, waitedMs = null } = answer?.service ?? {}
  const { version } = sources
  return { facts: { version, state, configValid: config !== null, runs, host, fleet, waitedMs }, problems }
}

/** Null where it cannot be told: metrics show what there is. */
async function toldOr<T>(problems: Problem[], telling: Promise<T>): Promise<T | null> {
  try {
    return await telling
  } catch (error) {
    if (!(error instanceof AgentError)) throw error
    problems.push(...error.asProblems())
    return null
  }
}
