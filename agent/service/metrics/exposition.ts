import type { RegistryContentType } from 'prom-client'
import type { MetricReport } from '../../core/report/metrics.ts'
import { oneLine } from '../../report/text.ts'
import type { Metric } from './metric.ts'

export type Format = 'prometheus' | 'openmetrics'

interface Exposition {
  contentType: string
  text: string
}

/** Built again for each scrape from what is known then: no label outlives what it describes. */
export async function exposition(metrics: Metric[], format: Format): Promise<Exposition> {
  // Loaded when it is needed: many hosts are never scraped.
  const { Counter, Gauge, Registry, ...types } = await import('prom-client')
  const registry = new Registry<RegistryContentType>()
  if (format === 'openmetrics') registry.setContentType(types.openMetricsContentType)
  for (const { name, help, type, samples } of reportOf(metrics)) {
    const labelNames = [...new Set(samples.flatMap(({ labels }) => Object.keys(labels)))]
    const options = { name, help, labelNames, registers: [registry] }
    const metric = type === 'counter' ? new Counter(options) : new Gauge(options)
    for (const { labels, value } of samples) metric.inc(labels, value)
  }
  return { contentType: registry.contentType, text: await registry.metrics() }
}

/** What is known of them. */
export function reportOf(metrics: Metric[]): MetricReport[] {
  return metrics
    .filter(({ samples }) => samples.length > 0)
    .map(({ name, help, samples, counter }) => ({
      name,
      help,
      type: counter ? 'counter' : 'gauge',
      samples: samples.map(([value, labels = {}]) => ({ labels: shown(labels), value })),
    }))
}

/** Names from others, such as an image or a version, must not show a secret here either. */
function shown(labels: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, oneLine(value)]))
}
