import { setTimeout as pause } from 'node:timers/promises'
import { beforeEach, describe, expect, it } from 'vitest'
import { AgentError } from '../../agent/core/errors.ts'
import type { Fleet, Waiting } from '../../agent/ports/fleet.ts'

/** A group with one slot that nobody has used, seen from each of its hosts. */
export type Group = (host: string) => Fleet

const turn = { run: 'run-1', target: 'calico/node:v2' }
const done = { run: turn.run, reason: null }

/** As the stories do, with the lock of the host. */
async function drop(fleet: Fleet): Promise<void> {
  if (!(await fleet.drop(turn.run))) await fleet.giveBack('untouched')
}

/** What the stories rely on, of each kind of engine alike. */
export function fleetContract(of: string, make: () => Promise<Group>): void {
  describe(`Fleet: ${of}`, () => {
    let at: Group
    beforeEach(async () => {
      at = await make()
    })

    it('gives its slot to one host, and to the next one once it is given back', async () => {
      await at('host-1').take(turn)
      expect(await refusal(at('host-2').take({ ...turn, run: 'run-2' }))).toEqual(['slot-held', 75])
      expect(await at('host-1').giveBack(done)).toBe(true)
      await at('host-2').take({ ...turn, run: 'run-2' })
      expect(await refusal(at('host-1').take(turn))).toEqual(['slot-held', 75])
    })

    it('gives it again to the host that has it, as after a death', async () => {
      await at('host-1').take(turn)
      await at('host-1').take(turn)
      await at('host-1').take({ ...turn, run: 'run-2' })
      expect(await refusal(at('host-2').take(turn))).toEqual(['slot-held', 75])
    })

    it('is given back by a host that has none, too', async () => {
      expect(await at('host-1').giveBack(done)).toBe(true)
      await at('host-1').take(turn)
      await at('host-2').giveBack('untouched')
      expect(await refusal(at('host-3').take(turn))).toEqual(['slot-held', 75])
      expect(await at('host-1').isHeld()).toBe(true)
    })

    it('is taken away by an operator', async () => {
      await at('host-1').take(turn)
      await at('host-9').release('host-1')
      await at('host-2').take(turn)
    })

    it('takes back what did not begin', async () => {
      await at('host-1').take(turn)
      await drop(at('host-1'))
      await at('host-2').take(turn)
    })

    it('takes back what did not begin, whether it was taken or not', async () => {
      await drop(at('host-1'))
      await at('host-2').take(turn)
      await drop(at('host-1'))
      expect(await refusal(at('host-3').take(turn))).toEqual(['slot-held', 75])
    })

    it('keeps others from a target that failed', async () => {
      await at('host-1').take(turn)
      await at('host-1').giveBack({ run: turn.run, reason: 'no session came back' })
      const [code, exitCode] = (await refusal(at('host-2').take(turn))) as [string, number]
      expect(['fleet-halted', 'slot-held']).toContain(code)
      expect(exitCode).toBe(75)
      // an operator tries again there
      await at('host-1').take({ ...turn, run: 'run-2' })
      await at('host-1').giveBack({ run: 'run-2', reason: null })
      await at('host-2').take(turn)
    })

    it('lets one of many hosts through', async () => {
      const hosts = Array.from({ length: 20 }, (_, i) => at(`host-${i}`))
      const takes = await Promise.all(hosts.map((host) => refusal(host.take(turn))))
      expect(takes.filter((taken) => taken === 'taken')).toHaveLength(1)
    })

    it('wakes the one that waits, and says once what it waits for', async () => {
      await at('host-1').take(turn)
      const { waiting, said } = waiter()
      const taken = at('host-2').waitFor({ ...turn, run: 'run-2' }, waiting)
      await expect.poll(() => said).toHaveLength(1)
      await pause(300)
      expect(said).toEqual(['slot-held'])
      await at('host-1').giveBack(done)
      await taken
      expect(await refusal(at('host-3').take(turn))).toEqual(['slot-held', 75])
    })

    it('waits no longer than it is told to, and has taken nothing then', async () => {
      await at('host-1').take(turn)
      const { waiting, said, stop } = waiter()
      const waited = refusal(at('host-2').waitFor(turn, waiting))
      await expect.poll(() => said).toHaveLength(1)
      stop.abort(new AgentError('wait-ended', 'cannot start', { fix: 'none' }))
      await waited
      await at('host-1').giveBack(done)
      await at('host-3').take(turn)
    })
  })
}

function waiter(more: Partial<Waiting> = {}) {
  const stop = new AbortController()
  const said: string[] = []
  const waiting: Waiting = {
    signal: stop.signal,
    mayStart: () => Promise.resolve(),
    endEarlier: () => Promise.resolve(false),
    onWait: ({ code }) => said.push(code),
    ...more,
  }
  return { waiting, said, stop }
}

export async function refusal(work: Promise<unknown>): Promise<unknown> {
  try {
    await work
    return 'taken'
  } catch (error) {
    return error instanceof AgentError ? [error.code, error.exitCode] : error
  }
}
