import type { DialGuard } from '../../agent/ports/dial-guard.ts'

/** Of two families; the one of the same link as this host's address, and one behind a port of its own. */
export const NEIGHBORS = [
  { address: '192.0.2.2', listenPort: 179 },
  { address: '192.0.2.3', listenPort: 1790 },
  { address: '2001:db8::2', listenPort: 179 },
]

const [first, , third] = NEIGHBORS.map(({ address }) => address) as [string, string, string]

/** Who is kept out after each of what the steps rely on, of the kernel and of the fake alike. */
export async function dialGuardScenario(
  guard: DialGuard,
  keptOut: () => string[],
): Promise<Record<string, string[]>> {
  const seen: Record<string, string[]> = {}
  const after = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    await work()
    seen[what] = keptOut()
  }
  await after('opened while nothing is closed', () => guard.open())
  await after('checked', () => guard.check(NEIGHBORS))
  await after('closed', () => guard.close(NEIGHBORS))
  await after('checked while closed', () => guard.check(NEIGHBORS))
  await after('closed again', () => guard.close(NEIGHBORS.slice(1)))
  await after('opened for two', () => guard.open([first, third, '192.0.2.77']))
  await after('opened for all', () => guard.open())
  return seen
}

export const EXPECTED: Record<string, string[]> = {
  'opened while nothing is closed': [],
  checked: [],
  closed: ['192.0.2.2', '192.0.2.3', '2001:db8::2'],
  'checked while closed': ['192.0.2.2', '192.0.2.3', '2001:db8::2'],
  'closed again': ['192.0.2.2', '192.0.2.3', '2001:db8::2'],
  'opened for two': ['192.0.2.3'],
  'opened for all': [],
}
