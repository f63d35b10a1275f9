import { setTimeout as pause } from 'node:timers/promises'
import { AgentError, ExitCode } from '../../core/errors.ts'
import type { Turn, TurnEnd } from '../../core/fleet/group.ts'
import type { Fleet, Waiting } from '../../ports/fleet.ts'
import { within } from '../deadline.ts'
import { exchange, type HttpAnswer, reasonOf } from '../http.ts'
import { readText } from '../read-file.ts'
import { jittered } from './feed.ts'
import { sayOnce } from './say-once.ts'

/** `fleet.fleetlock` of the config. */
export interface FleetLockConfig {
  url: string
  ca?: string | undefined
}

interface FleetLockOptions {
  group: string
  /** This host's name in the group. */
  host: () => Promise<string>
  /** Between two questions for a slot; the protocol has no watch. */
  pollMs?: number
}

const DEADLINE_MS = 10_000
const POLL_MS = 30_000
const MAX_BYTES = 64 * 1024
const MAX_CERTIFICATES = 4 * 1024 * 1024

/** The server answers it, and knows who has a slot; nobody else does. */
type Path = '/v1/pre-reboot' | '/v1/steady-state'

/**
 * The FleetLock protocol (Zincati's, airlock's and poseidon/fleetlock's server): a reboot of another host and an upgrade
 * of this one exclude each other. Of a reboot of this host the identifier is another one.
 */
export function createFleetLock(
  config: FleetLockConfig,
  { group, host, pollMs = POLL_MS }: FleetLockOptions,
): Fleet {
  const ask = async (path: Path, name: string): Promise<void> => {
    const answer = await post(config, path, { id: `calico-agent.${name}`, group })
    if (answer.status !== 200 || isPage(answer)) throw refusal(answer, path, config, group)
  }
  return {
    name: `group ${group}`,
    host,
    control: null,
    take: async () => {
      await ask('/v1/pre-reboot', await host())
    },
    async waitFor(_: Turn, { signal, mayStart, onWait }: Waiting) {
      const say = sayOnce(onWait)
      for (;;) {
        signal.throwIfAborted()
        try {
          await mayStart()
          await ask('/v1/pre-reboot', await host())
          return
        } catch (error) {
          if (!(error instanceof AgentError) || error.exitCode !== ExitCode.deferred) throw error
          say(error)
        }
        await pause(jittered(pollMs), undefined, { signal })
      }
    },
    async giveBack(end: TurnEnd) {
      // the server counts no failures: a host that failed keeps the others from it by its slot
      if (end !== 'untouched' && end.reason !== null) return false
      await ask('/v1/steady-state', await host())
      return true
    },
    drop: () => Promise.resolve(false),
    isHeld: () => Promise.resolve(true),
    record: () => Promise.resolve(),
    release: async (name) => {
      await ask('/v1/steady-state', name)
    },
  }
}

async function post(
  { url, ca }: FleetLockConfig,
  path: Path,
  client_params: { id: string; group: string },
): Promise<HttpAnswer> {
  const authorities = ca === undefined ? undefined : await readText(ca, MAX_CERTIFICATES)
  if (ca !== undefined && authorities === undefined)
    throw new AgentError('fleet-credential', `cannot use ${ca} for the FleetLock server: no such file`, {
      fix: 'set fleet.fleetlock.ca to a file that root can read',
    })
  const request = {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'fleet-lock-protocol': 'true' },
    ...(authorities !== undefined && { ca: authorities }),
    body: JSON.stringify({ client_params }),
  }
  try {
    const at = new URL(url.replace(/\/$/, '') + path)
    return await within(DEADLINE_MS, async (signal) => await exchange(at, { ...request, signal }, MAX_BYTES))
  } catch (error) {
    throw unreachable(url, reasonOf(error))
  }
}

/** A web server says 200 to everything. */
function isPage({ text }: HttpAnswer): boolean {
  return text.trimStart().startsWith('<')
}

/** What is not 200 is no; `kind` and `value` say why. */
function refusal(
  { status, text }: HttpAnswer,
  path: Path,
  { url }: FleetLockConfig,
  group: string,
): AgentError {
  const said = saidOf(text)
  if (said === null)
    return new AgentError(
      'fleet-not-fleetlock',
      `cannot use ${url}: it answers ${path} with ${status}, and not as a FleetLock server does`,
      { fix: 'correct fleet.fleetlock.url; it is the URL before /v1/pre-reboot' },
    )
  if (status >= 500) return unreachable(url, `it answers with ${status}: ${said}`)
  return new AgentError(
    'slot-held',
    `cannot start: the FleetLock server gives group ${group} no slot: ${said}`,
    {
      fix: `wait until a host gives its slot back (calico-agent upgrade --wait 1h); the log of ${url} shows who has it; calico-agent fleet release HOST takes it from a host of this agent`,
      exitCode: ExitCode.deferred,
    },
  )
}

function saidOf(text: string): string | null {
  try {
    const { kind, value } = JSON.parse(text) as { kind?: unknown; value?: unknown }
    return typeof kind === 'string' ? `${kind}: ${String(value)}` : null
  } catch {
    return null
  }
}

function unreachable(url: string, why: string): AgentError {
  return new AgentError('fleet-unreachable', `cannot reach the FleetLock server at ${url}: ${why}`, {
    fix: `curl ${url} shows whether it answers; nobody starts before it does`,
    exitCode: ExitCode.deferred,
    isTransient: true,
  })
}
