import type {
  BirdEndpoint,
  BirdUp,
  BirdView,
  Depth,
  Session,
  SessionRow,
} from '../../agent/core/bird/view.ts'
import { AgentError } from '../../agent/core/errors.ts'
import type { Bird, SocketState } from '../../agent/ports/bird.ts'
import type { Clock } from '../../agent/ports/clock.ts'

/** Views from a time on, in ms since the container started, in ascending order. */
export type Timeline = { at: number; view: BirdView }[]

/** The running container, and the clock's time at which it started. */
export interface Running {
  container: string
  since: number
}

interface Options {
  clock: Pick<Clock, 'now'>
  /** Whose BIRD answers now; undefined while none runs. */
  running: () => Running | undefined
  /** What that container's BIRD of a family shows, from its start. */
  timeline: (container: string, family: 4 | 6) => Timeline
  /** Shared by all fakes of a test. */
  ops?: string[]
}

/**
 * Shows each container's scripted timeline. As in BIRD, `disable` ends a recovery that waits for nobody else,
 * and a new BIRD knows nothing of what was disabled in the old one.
 */
export class FakeBird implements Bird {
  readonly ops: string[]
  readonly #options: Options
  readonly #switched = new Map<string, Map<string, 'disable' | 'enable'>>()
  /** Instances whose recovery was ended by a disable: it does not begin again. */
  readonly #ended = new Set<Map<string, 'disable' | 'enable'>>()

  constructor(options: Options) {
    this.#options = options
    this.ops = options.ops ?? []
  }

  socketState(): Promise<SocketState> {
    return Promise.resolve(this.#options.running() ? 'listening' : 'dead')
  }

  realPath(path: string): Promise<string> {
    return Promise.resolve(path.replace(/^\/var\/run\//, '/run/'))
  }

  look(endpoint: BirdEndpoint, container: string, depth?: 'details'): Promise<BirdView>
  look(endpoint: BirdEndpoint, container: string, depth?: Depth): Promise<BirdView<SessionRow>>
  look(endpoint: BirdEndpoint, container: string, depth: Depth = 'details'): Promise<BirdView<SessionRow>> {
    const running = this.#options.running()
    const elsewhere = endpoint.via === 'exec' && running?.container !== container
    if (elsewhere) return Promise.resolve({ state: 'silent' })
    const view = running ? this.#view(endpoint, running) : ({ state: 'down' } as const)
    return Promise.resolve(depth === 'rows' && view.state === 'up' ? rowsOf(view) : view)
  }

  disable(endpoint: BirdEndpoint, container: string, protocol: string): Promise<void> {
    return this.#switch('disable', endpoint, container, protocol)
  }

  enable(endpoint: BirdEndpoint, container: string, protocol: string): Promise<void> {
    return this.#switch('enable', endpoint, container, protocol)
  }

  async #switch(
    action: 'disable' | 'enable',
    endpoint: BirdEndpoint,
    container: string,
    protocol: string,
  ): Promise<void> {
    const view = await this.look(endpoint, container)
    const running = this.#options.running()
    if (!running || view.state !== 'up' || !view.sessions.some(({ name }) => name === protocol)) {
      throw new AgentError('bird-unreachable', `cannot ${action} ${protocol} in BIRD`, { fix: 'none' })
    }
    this.ops.push(`${action} ${protocol}`)
    this.#switches(endpoint, running).set(protocol, action)
  }

  #view(endpoint: BirdEndpoint, running: Running): BirdView {
    const age = this.#options.clock.now() - running.since
    const timeline = this.#options.timeline(running.container, endpoint.family)
    const view = timeline.findLast(({ at }) => at <= age)?.view ?? { state: 'down' }
    if (view.state !== 'up') return view
    const switches = this.#switches(endpoint, running)
    if (switches.size === 0) return view
    const sessions = view.sessions.map((session) => switched(session, switches.get(session.name)))
    const waits = sessions.some(({ established, disabled }) => !established && !disabled)
    if (!waits) this.#ended.add(switches)
    const recovering = view.recovering && !this.#ended.has(switches)
    return { ...view, sessions, recovering, waitTimer: recovering ? view.waitTimer : null }
  }

  /** Of this instance of BIRD only. */
  #switches({ family }: BirdEndpoint, { container, since }: Running): Map<string, 'disable' | 'enable'> {
    const instance = `${container} ${since} ${family}`
    const switches = this.#switched.get(instance) ?? new Map<string, 'disable' | 'enable'>()
    this.#switched.set(instance, switches)
    return switches
  }
}

function switched(session: Session, action: 'disable' | 'enable' | undefined): Session {
  if (action === undefined) return session
  if (action === 'enable') return { ...session, disabled: false }
  return { ...session, established: false, disabled: true, info: 'Down', imported: 0 }
}

/** What `show protocols` leaves of it. */
function rowsOf(view: BirdUp): BirdUp<SessionRow> {
  const sessions = view.sessions.map(({ name, established, info, since, disabled }) => {
    return { name, established, info, since, disabled, imported: null }
  })
  return { ...view, sessions }
}

/** An Established session to 192.0.2.`host`, unless changed. */
export function session(host: number, changes: Partial<Session> = {}): Session {
  return {
    name: `Mesh_192_0_2_${host}`,
    neighbor: `192.0.2.${host}`,
    established: true,
    info: 'Established',
    imported: 1,
    since: '10:00:00',
    restarting: null,
    restartAware: true,
    disabled: false,
    ...changes,
  }
}

/** A peer that does not answer. */
export function deadSession(host: number): Session {
  return session(host, {
    established: false,
    info: 'Connect (Socket: No route to host)',
    imported: 0,
    restartAware: false,
  })
}

export function upView(
  lastReboot: string,
  sessions: Session[],
  recovering = false,
): Extract<BirdView, { state: 'up' }> {
  return {
    state: 'up',
    lastReboot,
    instance: `socket of ${lastReboot}`,
    recovering,
    waitTimer: recovering ? '235/240' : null,
    sessions,
  }
}

/**
 * A restart as the lab measured it: up after 200 ms, sessions back after 3.9 s, recovered after 4.1 s - or, with
 * a dead peer among the sessions, when the wait timer of 240 s has run out.
 */
export function restartTimeline(
  lastReboot: string,
  sessions: Session[],
  { upMs = 200, backMs = 3_900, recoveredMs = 4_100 } = {},
): Timeline {
  const waiting = sessions.some(({ established, disabled }) => !established && !disabled)
  const connecting = sessions.map(
    (s): Session => ({ ...s, established: false, info: 'Connect', imported: 0, restartAware: false }),
  )
  return [
    { at: upMs, view: upView(lastReboot, connecting, true) },
    { at: backMs, view: upView(lastReboot, sessions, true) },
    { at: waiting ? 240_000 : recoveredMs, view: upView(lastReboot, sessions) },
  ]
}
