import { AgentError, ExitCode } from '../../agent/core/errors.ts'
import type { Turn, TurnEnd } from '../../agent/core/fleet/group.ts'
import type { HostRecord } from '../../agent/core/fleet/host-record.ts'
import type { Fleet, Waiting } from '../../agent/ports/fleet.ts'

const slotHeld = (): AgentError =>
  new AgentError('slot-held', 'cannot start: host-2 is at work', { fix: 'wait', exitCode: ExitCode.deferred })

export const fleetAway = (): AgentError =>
  new AgentError('fleet-unreachable', 'cannot reach etcd', {
    fix: 'wait',
    exitCode: ExitCode.deferred,
    isTransient: true,
  })

/** Whose turn it is, as the tests want it. */
export class FakeFleet implements Fleet {
  readonly name = 'group default'
  readonly control = null
  readonly ops: string[] = []
  said: HostRecord | null = null
  heldElsewhere = false
  away = false
  hasSlot = false
  onTake: () => void = () => undefined
  /** Resolved when the slot of the other host is free. */
  untilFree: Promise<void> = Promise.resolve()

  host(): Promise<string> {
    return Promise.resolve('host-1')
  }

  isHeld(): Promise<boolean> {
    return Promise.resolve(this.hasSlot)
  }

  async take({ target }: Turn): Promise<void> {
    this.onTake()
    if (this.heldElsewhere) throw slotHeld()
    this.hasSlot = true
    this.ops.push(`take ${target}`)
    return Promise.resolve()
  }

  async waitFor(turn: Turn, { signal, onWait, mayStart }: Waiting): Promise<void> {
    if (this.heldElsewhere) onWait(slotHeld())
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => {
        reject(signal.reason as Error)
      })
    })
    await Promise.race([this.untilFree, aborted])
    await mayStart()
    this.heldElsewhere = false
    await this.take(turn)
  }

  giveBack(end: TurnEnd): Promise<boolean> {
    if (this.away) return Promise.reject(fleetAway())
    this.hasSlot = false
    this.ops.push(`give back, ${end === 'untouched' ? end : endText(end.reason)}`)
    return Promise.resolve(true)
  }

  drop(): Promise<boolean> {
    if (this.away) return Promise.reject(fleetAway())
    this.hasSlot = false
    this.ops.push('drop')
    return Promise.resolve(true)
  }

  record(next: (before: HostRecord | null) => Omit<HostRecord, 'host'> | null): Promise<void> {
    const said = next(this.said)
    if (said !== null) this.said = { host: 'host-1', ...said }
    return Promise.resolve()
  }

  release(): Promise<void> {
    this.hasSlot = false
    return Promise.resolve()
  }
}

const endText = (reason: string | null): string => (reason === null ? 'done' : `failed: ${reason}`)
