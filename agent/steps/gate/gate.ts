import { type GatedDaemon, gatedDaemons } from '../../core/bird/baseline.ts'
import { needsRoutes } from '../../core/bird/daemon.ts'
import {
  isSettled,
  peersToLookFor,
  phaseOf,
  type TrialState,
  trialAfter,
  trialAtStart,
  unmetOf,
  windowState,
} from '../../core/bird/trial.ts'
import type { Depth } from '../../core/bird/view.ts'
import { type RollbackReason, type Verdict, windowVerdict } from '../../core/bird/window.ts'
import type { Problem } from '../../core/errors.ts'
import type { WindowMark } from '../../core/events.ts'
import type { WindowReport } from '../../core/report/report.ts'
import type { StepContext } from '../step.ts'
import { DialLift } from '../window/dial-guard.ts'
import { enableReleased, releasePeers } from './peers.ts'
import { isOld, type Trial } from './readings.ts'
import { leftDisabled, trialProblems, whyGivenUp } from './trial-messages.ts'
import { type Interest, TrialObserver } from './trial-observer.ts'

/** Until BIRD is up nothing else matters, and the moment when it comes up is measured. */
const DOWN_POLL_MS = 15
/** A look at a large mesh costs BIRD and the agent more: a ms for each session, within these bounds. */
const POLL_MS = { least: 100, most: 500 }
/** A BIRD that answers within this is judged by this look; a slower one does not hold up the others. */
const QUICK_MS = 250
/** Every look at BIRD has ended by then. */
const SLOWEST_MS = 15_000

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

/** Takes looks, judges them, and carries out the verdicts. */
class TrialWatch {
  readonly #trial: Trial
  readonly #context: StepContext
  readonly #daemons: GatedDaemon[]
  readonly #looks: TrialObserver
  readonly #marks = new Map<WindowMark, number>()
  readonly #released = new Set<string>()
  #state: TrialState
  readonly #dialLift: DialLift

  constructor(trial: Trial, context: StepContext) {
    this.#trial = trial
    this.#context = context
    this.#daemons = gatedDaemons(trial.gate.daemons)
    this.#looks = new TrialObserver(trial, this.#daemons, context)
    this.#state = stateAtStart(trial, this.#daemons)
    this.#dialLift = new DialLift({ ...trial.gate, daemons: this.#daemons }, context)
  }

  async run(): Promise<TrialResult> {
    for (;;) {
      this.#looks.begin(this.#interest())
      await this.#looks.birdsAnswered(QUICK_MS)
      let verdict = this.#judge()
      if (verdict.do === 'roll-back' && this.#looks.awaitsBird) verdict = await this.#judgeAllAnew()
      if (verdict.do === 'roll-back') return this.#failure(verdict.reason)
      const disabled = this.#phase() === 'recovered' ? await this.#enable() : []
      if (verdict.do === 'succeed') return this.#success(disabled)
      if (verdict.do === 'release') await this.#release()
      await this.#dialLift.after(this.#looks.views)
      await this.#context.clock.sleep(this.#pauseMs())
    }
  }

  /** One that is slow may have reached Established since its last answer, and the others while it was waited for. */
  async #judgeAllAnew(): Promise<Verdict> {
    await this.#looks.birdsAnswered(SLOWEST_MS)
    this.#looks.begin({ ...this.#interest(), birdMs: 0 })
    await this.#looks.birdsAnswered(QUICK_MS)
    return this.#judge()
  }

  #judge(): Verdict {
    const { clock, signal } = this.#context
    this.#state = trialAfter(this.#state, this.#looks.news(), clock.now())
    this.#tell()
    return windowVerdict(windowState(this.#state, clock.now(), signal.aborted))
  }

  #phase() {
    return phaseOf(this.#state, this.#context.clock.now())
  }

  #pollMs(): number {
    if (this.#phase() === 'down') return DOWN_POLL_MS
    const sessions = this.#daemons.reduce((sum, { baseline }) => sum + baseline.established.length, 0)
    return Math.min(POLL_MS.most, Math.max(POLL_MS.least, sessions))
  }

  /** The rows show that the sessions are back: ask at once for what a verdict still needs. */
  #pauseMs(): number {
    return this.#depths().includes('details') ? 0 : this.#pollMs()
  }

  #depths(): Depth[] {
    const now = this.#context.clock.now()
    return this.#state.daemons.map((daemon) => (needsRoutes(daemon, now) ? 'details' : 'rows'))
  }

  #interest(): Interest {
    const now = this.#context.clock.now()
    return {
      birdMs: this.#pauseMs(),
      depths: this.#depths(),
      health: isSettled(this.#state, now),
      peers: peersToLookFor(this.#state, now),
    }
  }

  async #release(): Promise<void> {
    const { container } = this.#trial
    const released = await releasePeers(container, this.#daemons, this.#state, this.#context)
    for (const peer of released) this.#released.add(peer)
  }

  async #enable(): Promise<string[]> {
    return await enableReleased(this.#trial.container, this.#daemons, this.#state, this.#context)
  }

  /** `disabled`: peers that BIRD did not enable again. */
  #success(disabled: string[]): TrialResult {
    const problems = [...trialProblems(this.#state), ...disabled.map(leftDisabled)]
    const window = this.#window()
    const settledMs = Math.round(this.#sinceGone())
    return { passed: true, window: window && { ...window, settledMs }, unmet: [], problems }
  }

  /** Records the moments of the window, and reports its state. */
  #tell(): void {
    const { daemons } = this.#state
    const standings = daemons.map(({ standing }) => standing)
    const isUp = standings.every(({ phase }) => phase !== 'down')
    if (isUp) this.#mark('bird-up')
    if (isUp && standings.every(({ missing }) => missing.length === 0)) this.#mark('sessions-back')
    if (this.#state.recoveredAt !== null && standings.every(({ unmet }) => unmet.length === 0))
      this.#mark('recovered')
    this.#context.emit({
      type: 'standing',
      phase: this.#phase(),
      sinceGoneMs: this.#sinceGone(),
      waitTimer: daemons.find(({ waitTimer }) => waitTimer !== null)?.waitTimer ?? null,
      unmet: unmetOf(this.#state),
    })
  }

  #sinceGone(): number {
    return this.#context.clock.now() - this.#trial.goneAt
  }

  #mark(mark: WindowMark): void {
    if (this.#marks.has(mark) || this.#daemons.length === 0) return
    const sinceGoneMs = Math.round(this.#sinceGone())
    this.#marks.set(mark, sinceGoneMs)
    this.#context.emit({ type: 'mark', mark, sinceGoneMs })
  }

  #failure(reason: RollbackReason): TrialResult {
    const { exitCode } = this.#looks.container
    const why = whyGivenUp(reason, this.#state, { exitCode, sinceGoneMs: this.#sinceGone() })
    return { passed: false, reason, why, window: this.#window(), unmet: unmetOf(this.#state) }
  }

  #window(): WindowReport | null {
    if (this.#daemons.length === 0) return null
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

function stateAtStart(trial: Trial, daemons: GatedDaemon[]): TrialState {
  const { gate, goneAt, unseen = 'down', patienceMs } = trial
  const { budgetMs, reserveMs, settleMs } = gate
  const terms = { budgetMs, reserveMs, settleMs, goneAt, unseen, isOld: isOld(trial) }
  return trialAtStart(
    { ...terms, patienceMs: patienceMs ?? budgetMs - reserveMs },
    daemons.map(({ baseline }) => baseline),
  )
}
