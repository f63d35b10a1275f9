import type { Answer } from '../http.ts'
import { exposition, type Format } from './exposition.ts'
import { type Facts, metricsOf } from './metrics.ts'
import { processMetrics } from './process.ts'

/** /metrics: the host and the process of the service, in the format that the scraper asks for. */
export async function metricsPage(facts: Facts, accept: string | undefined): Promise<Answer> {
  const metrics = [...metricsOf(facts), ...processMetrics()]
  return { status: 200, ...(await exposition(metrics, formatFor(accept))) }
}

/** What a scraper prefers, by its Accept header (RFC 9110, 12.5.1). Prometheus asks for OpenMetrics first. */
export function formatFor(accept = ''): Format {
  const ranges = accept.toLowerCase().split(',')
  const quality = (type: string): number => {
    const asked = ranges.filter((range) => range.split(';')[0]?.trim() === type)
    return Math.max(0, ...asked.map((range) => Number(/;\s*q=([\d.]+)/.exec(range)?.[1] ?? 1)))
  }
  const asked = quality('application/openmetrics-text')
  return asked > 0 && asked >= quality('text/plain') ? 'openmetrics' : 'prometheus'
}
