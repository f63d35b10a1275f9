import { readdirSync } from 'node:fs'
import type { Metric } from './metric.ts'

/**
 * This process, by the names that all clients of Prometheus use. Not prom-client's own: those count from when they are
 * registered, and bring a timer that wakes an idle service a hundred times a second.
 */
export function processMetrics(): Metric[] {
  const { user, system } = process.cpuUsage()
  return [
    {
      name: 'process_cpu_seconds_total',
      help: 'CPU time that the agent used, in seconds',
      counter: true,
      samples: [[(user + system) / 1e6]],
    },
    {
      name: 'process_resident_memory_bytes',
      help: 'Memory that the agent occupies',
      samples: [[process.memoryUsage.rss()]],
    },
    {
      name: 'process_start_time_seconds',
      help: 'When the agent was started, in unix seconds',
      samples: [[performance.timeOrigin / 1000]],
    },
    {
      name: 'process_open_fds',
      help: 'File descriptors that the agent has open',
      samples: [[readdirSync('/proc/self/fd').length]],
    },
  ]
}
