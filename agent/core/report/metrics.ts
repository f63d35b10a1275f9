import type { Problem } from '../errors.ts'

/** One family of samples, as Prometheus has them. */
export interface MetricReport {
  name: string
  help: string
  type: 'counter' | 'gauge'
  samples: { labels: Record<string, string>; value: number }[]
}

/** The JSON of `metrics`. */
export interface MetricsReport {
  schema: 1
  metrics: MetricReport[]
  /** Why some of them are missing. */
  problems: Problem[]
}

export function emptyMetricsReport(problems: Problem[]): MetricsReport {
  return { schema: 1, metrics: [], problems }
}
