import { podPrefix } from './addresses.ts'
import type { Host } from './host.ts'
import { until } from './poll.ts'

type Withdrawal = {
  /** Wall time in ms since the epoch. */
  at: number
  route: string
}

export type RouteWatch = { stop(): Promise<Withdrawal[]> }

/**
 * Records every route to a pod that BIRD deletes on the host from now on. A marker route is added and deleted at
 * both ends: once it has been seen, all that happened before it has been seen as well.
 */
export async function watchRoutes(host: Host): Promise<RouteWatch> {
  let text = ''
  const monitor = await host.start(['ip', '-ts', '-4', 'monitor', 'route'], {
    onStdout: (chunk) => (text += chunk),
  })
  await mark(host, () => text)
  return {
    stop: async () => {
      await mark(host, () => text)
      await monitor.kill('SIGKILL')
      await monitor.done
      return text.split('\n').flatMap(parseWithdrawal)
    },
  }
}

// Of RFC 5737's third range, which the lab uses for nothing else.
let marks = 0

async function mark(host: Host, seen: () => string): Promise<void> {
  const marker = `203.0.113.${(marks++ % 250) + 1}`
  const count = (): number => seen().split(`Deleted unreachable ${marker}`).length
  const before = count()
  const check = async (): Promise<boolean> => {
    await host.ok(['ip', 'route', 'replace', 'unreachable', marker])
    await host.ok(['ip', 'route', 'del', 'unreachable', marker])
    return count() > before
  }
  await until(`ip monitor on ${host.name}`, check, { everyMs: 10 })
}

/** "[2025-01-31T10:00:00.123456] Deleted 198.51.100.2 via 192.0.2.2 dev eth0 proto bird metric 32" */
function parseWithdrawal(line: string): Withdrawal[] {
  const match = /^\[(\S+)\] Deleted (\S+) (.*)$/.exec(line)
  const [, at, route, rest] = match ?? []
  if (at === undefined || route === undefined || rest === undefined) return []
  if (!route.startsWith(podPrefix) || !rest.includes('proto bird')) return []
  return [{ at: Date.parse(at), route: `${route} ${rest}`.trim() }]
}
