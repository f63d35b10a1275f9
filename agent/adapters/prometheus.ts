import * as z from 'zod'
import { AgentError, ExitCode } from '../core/errors.ts'
import { parsedJson } from '../core/json/parsed.ts'
import type { Alerts } from '../ports/alerts.ts'
import { within } from './deadline.ts'
import { exchange, reasonOf } from './http.ts'

const DEADLINE_MS = 10_000
const MAX_BYTES = 16 * 1024 * 1024

/** prometheus.io/docs/prometheus/latest/querying/api, "Alerts" */
const answer = z.object({
  data: z.object({
    alerts: z.array(z.object({ state: z.string(), labels: z.object({ alertname: z.string() }) })),
  }),
})

/** @param url of Prometheus, with its path if it has one */
export function createPrometheus(url: string): Alerts {
  return {
    async firing() {
      try {
        const path = `${url.replace(/\/$/, '')}/api/v1/alerts`
        const { status, text } = await within(
          DEADLINE_MS,
          async (signal) => await exchange(new URL(path), { signal }, MAX_BYTES),
        )
        const parsed = answer.safeParse(parsedJson(text))
        if (!parsed.success) throw new Error(`it answers with ${status}, and not as Prometheus does`)
        const { alerts } = parsed.data.data
        return alerts.filter(({ state }) => state === 'firing').map(({ labels }) => labels.alertname)
      } catch (error) {
        throw silent(url, reasonOf(error))
      }
    },
  }
}

/** Nothing is known: that is no reason to start. */
function silent(url: string, why: string): AgentError {
  return new AgentError('fleet-blocked', `cannot start: cannot ask Prometheus at ${url} for alerts: ${why}`, {
    fix: `curl ${url}/api/v1/alerts shows it; correct fleet.blockOn.prometheus`,
    exitCode: ExitCode.deferred,
  })
}
