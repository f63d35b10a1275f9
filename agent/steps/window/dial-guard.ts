import { type DiallingNeighbor, diallingPatience, neighborsToAdmit } from '../../core/bird/dialling.ts'
import type { BirdView, SessionRow } from '../../core/bird/view.ts'
import type { Gate } from '../../core/plan/plan.ts'
import type { StepContext } from '../step.ts'
import { orWarn } from './held-routes.ts'

/** Whether this host can prevent neighbors from dialling; warns if not. Takes some 50 ms. */
export async function checkDialling(gate: Gate, context: StepContext): Promise<boolean> {
  const neighbors = diallingOf(gate)
  return neighbors.length === 0 || (await orWarn(context, () => context.dialGuard.check(neighbors)))
}

/**
 * Runs once the old BIRD is dead, so that its last packets reach the peers, and while the new one starts: until the new
 * one listens, there is nothing to dial.
 */
export async function closeDialling(gate: Gate, context: StepContext): Promise<void> {
  const neighbors = diallingOf(gate)
  if (neighbors.length > 0) await orWarn(context, () => context.dialGuard.close(neighbors))
}

function diallingOf({ daemons }: Gate): DiallingNeighbor[] {
  return daemons.flatMap(({ dialling = [] }) => dialling)
}

export async function openDialling(context: StepContext): Promise<void> {
  await orWarn(context, () => context.dialGuard.open())
}

type DialledGate = Pick<Gate, 'daemons' | 'budgetMs' | 'reserveMs'>

/** Call it at each look: lets in the neighbors that must connect by themselves, each once. */
export class DialLift {
  readonly #gate: DialledGate
  readonly #context: StepContext
  readonly #upSince: (number | null)[] = []
  readonly #letIn = new Set<string>()
  #hasFailed = false

  constructor(gate: DialledGate, context: StepContext) {
    this.#gate = gate
    this.#context = context
  }

  /** `views`: the last looks, by daemon of the gate. */
  async after(views: (BirdView<SessionRow> | undefined)[]): Promise<void> {
    const wanted = this.#gate.daemons.flatMap(({ dialling = [] }, i) => this.#wanted(i, dialling, views[i]))
    const addresses = wanted.map(({ address }) => address).filter((address) => !this.#letIn.has(address))
    if (addresses.length === 0) return
    // tried again at each look, reported once
    const context = this.#hasFailed ? { ...this.#context, emit: () => undefined } : this.#context
    this.#hasFailed = !(await orWarn(context, () => this.#letThemIn(addresses)))
  }

  async #letThemIn(addresses: string[]): Promise<void> {
    const neighbors = await this.#context.dialGuard.open(addresses)
    for (const address of addresses) this.#letIn.add(address)
    if (neighbors.length > 0) this.#context.emit({ type: 'let-in', neighbors })
  }

  #wanted(
    daemon: number,
    neighbors: DiallingNeighbor[],
    view: BirdView<SessionRow> = { state: 'down' },
  ): DiallingNeighbor[] {
    const now = this.#context.clock.now()
    const since = view.state === 'down' ? null : (this.#upSince[daemon] ?? now)
    this.#upSince[daemon] = since
    const times = { upForMs: since === null ? 0 : now - since, patienceMs: diallingPatience(this.#gate) }
    return neighborsToAdmit(neighbors, view, times)
  }
}
