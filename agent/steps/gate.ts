import type { DaemonStanding } from '../core/bird/phase.ts'
import { type BirdPhase, type RollbackReason, type WindowState, windowVerdict } from '../core/bird/window.ts'
import type { Problem } from '../core/errors.ts'
import type { WindowMark } from '../core/events.ts'
import type { WindowReport } from '../core/report.ts'
import { DialLift } from './dial-guard.ts'
import {
  type BirdLook,
  type ContainerLook,
  failingChecks,
  lookAtBird,
  lookAtContainer,
  type Trial,
} from './look.ts'
import { enableReleased, releasePeers, unreachable } from './peers.ts'
import type { StepContext } from './step.ts'

/** Until BIRD is up nothing else is worth a look, and its first moment is measured. */
const DOWN_POLL_MS = 15
const POLL_MS = 100
/** Docker is busy with the start; asking it more often would slow what is waited for. */
const CONTAINER_POLL_MS = 250
const HEALTH_POLL_MS = 500
/** BIRD may need several starts before its first config is rendered; after that it is crash-looping. */
const TOLERATED_RESTARTS = 2
/** BIRD's default hold time, and its wait for End-of-RIB: after it peers have dropped one that hangs. */
const HOLD_TIME_MS = 240_000
/** A BIRD that only is busy answers within this. */
const FIRST_ANSWER_MS = 10_000

export type TrialResult = { window: WindowReport | null; unmet: string[] } & (
  | { passed: true; problems: Problem[] }
  | { passed: false; reason: RollbackReason; why: string }
)

/** Watches a new container until the window policy keeps it or gives it up. */
export async function watchTrial(trial: Trial, context: StepContext): Promise<TrialResult> {
  return await new TrialWatch(trial, context).run()
}

export function describeUnmet(unmet: string[]): string {
  return unmet.length === 0 ? '' : ` (${unmet.join('; ')})`
}

/** What one watch remembers from look to look. */
class TrialWatch {
  readonly #trial: Trial
  readonly #context: StepContext
  readonly #marks = new Map<WindowMark, number>()
  readonly #released = new Set<string>()
  #standings: DaemonStanding[] = []
  #container: ContainerLook = { state: 'running', exitCode: null, health: null }
  #containerAt = -Infinity
  #unhealthy: string[] = []
  #healthAt = -Infinity
  #lost: string[] = []
  #recoveredAt: number | null = null
  #passedAt: number | null = null
  #falls = 0
  #fellAt = -Infinity
  #hadSession = false
  #heard = false
  #silentAt: number | null = null
  readonly #dialLift: DialLift

  constructor(trial: Trial, context: StepContext) {
    this.#trial = trial
    this.#context = context
    this.#dialLift = new DialLift(trial.gate, context)
  }

  async run(): Promise<TrialResult> {
    for (;;) {
      const look = await this.#look()
      const verdict = windowVerdict(this.#state(look))
      if (verdict.do === 'release') {
        await releasePeers(this.#trial, look, this.#context)
        for (const peer of verdict.peers) this.#released.add(peer)
      }
      if (verdict.do === 'succeed') return this.#success()
      if (verdict.do === 'roll-back') return this.#failure(verdict.reason)
      await this.#context.clock.sleep(look.phase === 'down' ? DOWN_POLL_MS : POLL_MS)
    }
  }

  async #look(): Promise<BirdLook> {
    const before = this.#standings
    const look = await lookAtBird(this.#trial, before, this.#context)
    this.#standings = look.standings
    this.#countFalls(before, look)
    this.#hear(look)
    await this.#lookAtContainer()
    if (look.phase === 'none' || look.phase === 'recovered') await this.#lookAtHealth()
    await this.#judge(look)
    return look
  }

  #countFalls(before: DaemonStanding[], { standings }: BirdLook): void {
    const fallen = standings.filter(
      ({ phase }, i) => phase === 'down' && (before[i]?.phase ?? 'down') !== 'down',
    ).length
    if (fallen > 0) this.#fellAt = this.#context.clock.now()
    this.#falls += fallen
    this.#hadSession ||= standings.some(({ phase }) => phase === 'recovering' || phase === 'recovered')
  }

  #hear({ views }: BirdLook): void {
    this.#heard ||= views.some(({ state }) => state === 'up')
    const silent = views.some(({ state }) => state === 'silent')
    this.#silentAt = silent ? (this.#silentAt ?? this.#context.clock.now()) : null
  }

  /** The phase as far as it still binds: what is silent for long recovers no more, or its sessions are gone. */
  #bindingPhase({ phase }: BirdLook): BirdPhase {
    if (phase !== 'recovering' || this.#silentAt === null) return phase
    const silentMs = this.#context.clock.now() - this.#silentAt
    return silentMs < (this.#heard ? HOLD_TIME_MS : FIRST_ANSWER_MS) ? phase : 'down'
  }

  async #lookAtContainer(): Promise<void> {
    const now = this.#context.clock.now()
    if (now - this.#containerAt < CONTAINER_POLL_MS) return
    this.#containerAt = now
    this.#container = await lookAtContainer(this.#trial.container, this.#context)
  }

  async #lookAtHealth(): Promise<void> {
    const now = this.#context.clock.now()
    if (now - this.#healthAt < HEALTH_POLL_MS) return
    this.#healthAt = now
    const { gate, container } = this.#trial
    this.#unhealthy = await failingChecks(gate.health, { ...this.#container, id: container }, this.#context)
  }

  /** Holds the look against the baseline, and marks the window's moments. */
  async #judge(look: BirdLook): Promise<void> {
    await this.#dialLift.after(look)
    const { gate } = this.#trial
    const now = this.#context.clock.now()
    if (look.standings.every(({ phase }) => phase !== 'down')) this.#mark('bird-up')
    if (look.standings.every(({ missingNeighbors }) => missingNeighbors.length === 0))
      this.#mark('sessions-back')
    const met = look.standings.every(({ unmet }) => unmet.length === 0)
    if (met && look.phase === 'recovered') this.#mark('recovered')
    if (look.phase === 'recovered') await enableReleased(this.#trial, look, this.#context)
    this.#recoveredAt = look.phase === 'recovered' ? (this.#recoveredAt ?? now) : null

    // In the last moment before giving up: a peer whose host is gone is not this node's fault (node#153).
    const { patienceMs = gate.budgetMs - gate.reserveMs } = this.#trial
    const late = this.#sinceGone() >= patienceMs
    const missingOnly = look.standings.every(
      ({ unmet, missingNeighbors }) => unmet.length === missingNeighbors.length,
    )
    // The old node is not judged: where no peer is left, there is nothing to recover from.
    const nobodyLeft = this.#trial.patienceMs !== undefined && look.phase === 'starting'
    const peersOnly = (missingOnly && look.phase === 'recovered') || nobodyLeft
    this.#lost = late && !met && peersOnly ? await unreachable(look, this.#context) : []
    const missing = look.standings.flatMap(({ missingNeighbors }) => missingNeighbors)
    const excused = missing.length > 0 && missing.every((neighbor) => this.#lost.includes(neighbor))

    const settled = look.phase === 'none' || look.phase === 'recovered' || nobodyLeft
    const healthy = this.#unhealthy.length === 0 && this.#container.state === 'running'
    this.#passedAt = settled && (met || excused) && healthy ? (this.#passedAt ?? now) : null
    this.#context.emit({
      type: 'standing',
      phase: look.phase,
      sinceGoneMs: this.#sinceGone(),
      waitTimer:
        look.views.map((view) => (view.state === 'up' ? view.waitTimer : null)).find(Boolean) ?? null,
      unmet: this.#unmet(),
    })
  }

  #state(look: BirdLook): WindowState {
    const { gate } = this.#trial
    const now = this.#context.clock.now()
    return {
      sinceGoneMs: this.#sinceGone(),
      budgetMs: gate.budgetMs,
      reserveMs: gate.reserveMs,
      settleMs: gate.settleMs,
      phase: this.#bindingPhase(look),
      recoveredForMs: this.#recoveredAt === null ? 0 : now - this.#recoveredAt,
      container: this.#container.state,
      birdRestarted: this.#keepsFalling(),
      peersForgotten: look.standings.some(({ peersForgotten }) => peersForgotten),
      passedForMs: this.#passedAt === null ? null : now - this.#passedAt,
      deadPeersHolding: look.standings.flatMap(({ deadPeersHolding }) => deadPeersHolding),
      cancelled: this.#context.signal.aborted,
    }
  }

  /** BIRD dies a moment before Docker tells that its container did: that is no fall of BIRD's own. */
  #keepsFalling(): boolean {
    const containerSurvived = this.#containerAt >= this.#fellAt + CONTAINER_POLL_MS
    return containerSurvived && this.#falls > (this.#hadSession ? 0 : TOLERATED_RESTARTS)
  }

  #unmet(): string[] {
    return [...new Set([...this.#standings.flatMap(({ unmet }) => unmet), ...this.#unhealthy])]
  }

  #sinceGone(): number {
    return this.#context.clock.now() - this.#trial.goneAt
  }

  #mark(mark: WindowMark): void {
    if (this.#marks.has(mark) || this.#trial.gate.daemons.length === 0) return
    this.#marks.set(mark, Math.round(this.#sinceGone()))
    this.#context.emit({ type: 'mark', mark, sinceGoneMs: Math.round(this.#sinceGone()) })
  }

  #success(): TrialResult {
    const problems = this.#lost.map(
      (neighbor): Problem => ({
        code: 'peer-lost',
        severity: 'warning',
        message: `peer ${neighbor} went away during the upgrade: it accepts no connection on port 179`,
        fix: `look at host ${neighbor}; its session comes back by itself`,
      }),
    )
    return { passed: true, window: this.#window(), unmet: [], problems }
  }

  #failure(reason: RollbackReason): TrialResult {
    return { passed: false, reason, why: this.#why(reason), window: this.#window(), unmet: this.#unmet() }
  }

  #why(reason: RollbackReason): string {
    const { gate } = this.#trial
    switch (reason) {
      case 'exited':
        return this.#container.exitCode === null
          ? 'it was removed by somebody else'
          : `it exited with code ${this.#container.exitCode}`
      case 'cancelled':
        return 'the run was stopped'
      case 'bird-restarted':
        return 'BIRD keeps dying in it'
      case 'peers-forgotten':
        return 'its BIRD is configured without the peers of the old one'
      case 'out-of-time':
        return `not recovered after ${((gate.budgetMs - gate.reserveMs) / 1000).toFixed(0)} s of the ${gate.budgetMs / 1000} s window`
    }
  }

  #window(): WindowReport | null {
    if (this.#trial.gate.daemons.length === 0) return null
    const recoveredMs = this.#marks.get('recovered') ?? null
    return {
      budgetMs: this.#trial.gate.budgetMs,
      birdDownMs: this.#marks.get('bird-up') ?? null,
      sessionsBackMs: this.#marks.get('sessions-back') ?? null,
      recoveredMs,
      usedMs: recoveredMs,
      releasedPeers: [...this.#released],
    }
  }
}
