import type { RunFigures } from '../../core/report/run-figures.ts'
import { known, type Metric } from './metric.ts'

/** All runs of this host, by whomever; null if a journal cannot be read. */
export function runMetrics(figures: RunFigures | null): Metric[] {
  const { runs = {}, failures = {}, pulledBytes, lastSuccess, window, windowAt } = figures ?? {}
  const seconds = (ms: number | null | undefined) => known(ms == null ? null : ms / 1000)
  return [
    {
      name: 'runs_total',
      help: 'Runs of this host by outcome, whoever ran them',
      counter: true,
      samples: Object.entries(runs).map(([outcome, count]) => [count, { outcome }]),
    },
    {
      name: 'failures_total',
      help: 'Errors that ended a run, by code',
      counter: true,
      samples: Object.entries(failures).map(([code, count]) => [count, { code }]),
    },
    {
      name: 'last_success_timestamp_seconds',
      help: 'When an upgrade or a rollback last succeeded',
      samples: known(lastSuccess),
    },
    {
      name: 'pull_bytes_total',
      help: 'Bytes of image layers that runs pulled',
      counter: true,
      samples: known(pulledBytes),
    },
    {
      name: 'stuck_run',
      help: 'Whether the last run ended stuck, whoever ran it: an operator is needed',
      samples: known(figures && Number(figures.isStuck)),
    },
    {
      name: 'window_budget_seconds',
      help: 'Budget of the last window',
      samples: seconds(window?.budgetMs),
    },
    {
      name: 'window_used_seconds',
      help: 'How much of its budget the last window used',
      samples: seconds(window?.usedMs),
    },
    {
      name: 'window_bird_down_seconds',
      help: 'How long BIRD was down in the last window',
      samples: seconds(window?.birdDownMs),
    },
    {
      name: 'window_timestamp_seconds',
      help: 'When the run of the last window began',
      samples: known(windowAt),
    },
  ]
}
