import { describe, expect, it } from 'vitest'
import type { Session } from '../../agent/core/bird/view.ts'
import { AgentError } from '../../agent/core/errors.ts'
import type { Wanted } from '../../agent/core/wanted.ts'
import { observe, observeHost } from '../../agent/observe/observe.ts'
import { wanted } from '../core/observed.ts'
import { FakeHost } from '../engine/fake-host.ts'
import { session } from '../fakes/bird.ts'

const stop = new AgentError('cancelled', 'the run was stopped by SIGINT', { fix: 'run it again' })
const never = <T>(): Promise<T> => new Promise<T>(() => undefined)

/** The look ends with the stop, and nothing else: an answer that never comes is not waited for. */
async function stopped(look: (signal: AbortSignal) => Promise<unknown>): Promise<unknown> {
  const stopping = new AbortController()
  const looking = look(stopping.signal).then(
    () => 'it went on',
    (error: unknown) => error,
  )
  await new Promise((resolve) => setTimeout(resolve, 20))
  stopping.abort(stop)
  return await Promise.race([looking, new Promise((resolve) => setTimeout(resolve, 1_000, 'it hangs'))])
}

const withPlugins: Wanted = {
  ...wanted,
  cni: { ...wanted.cni, source: { kind: 'image', image: wanted.node.image ?? '' } },
}

const lookingUntil = (signal: AbortSignal) => ({ emit: () => undefined, signal })

describe('the restart time that BIRD announces', () => {
  const config = (seconds: number | string): string => `graceful restart time ${seconds};`
  const path = '/etc/calico/confd/config'

  async function times(sessions6: Session[], seconds6: number | string = 15) {
    const host = await FakeHost.create()
    host.docker.files.set(`${path}/bird.cfg`, config(80)).set(`${path}/bird6.cfg`, config(seconds6))
    const ports = host.ports()
    const look = ports.bird.look.bind(ports.bird)
    const perFamily = async (...args: Parameters<typeof look>) => {
      const view = await look(...args)
      return args[0].family === 6 && view.state === 'up' ? { ...view, sessions: sessions6 } : view
    }
    ports.bird.look = perFamily as typeof look
    const { node } = await observeHost(wanted, ports, new AbortController().signal)
    return [node?.daemons.map(({ announcedMs }) => announcedMs), node?.announcedMs]
  }

  it('is read for each daemon, and the shortest counts', async () => {
    expect(await times([session(2)])).toEqual([[80_000, 15_000], 15_000])
  })

  it('of a daemon without sessions does not count: nobody waits for it', async () => {
    expect(await times([])).toEqual([[80_000, 15_000], 80_000])
  })

  it('must be a number, but for a daemon without sessions', async () => {
    await expect(times([session(2)], 'TIME')).rejects.toMatchObject({ code: 'bird-config-unreadable' })
    expect(await times([], 'TIME')).toEqual([[80_000, 120_000], 80_000])
  })
})

describe('a look at the host that is told to stop', () => {
  it.each(['info', 'inspectContainer', 'inspectImage'] as const)('does not wait for %s', async (method) => {
    const host = await FakeHost.create()
    host.docker[method] = never
    expect(await stopped((signal) => observe(wanted, host.ports(), lookingUntil(signal), () => null))).toBe(
      stop,
    )
    expect(await stopped((signal) => observeHost(wanted, host.ports(), signal))).toBe(stop)
  })

  it('does not take the stop for the registry’s answer', async () => {
    const host = await FakeHost.create()
    host.docker.inspectRemoteImage = (_ref, _onWait, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          reject(signal.reason as Error)
        })
      })
    expect(await stopped((signal) => observe(wanted, host.ports(), lookingUntil(signal), () => null))).toBe(
      stop,
    )
  })

  it('lets what was begun to read an image be taken away', async () => {
    const host = await FakeHost.create()
    const { images } = host.docker
    images.pull(wanted.node.image ?? '', () => undefined)
    const ports = host.ports()
    let ended = false
    ports.cni.offered = async (_source, _names, signal) => {
      await new Promise((resolve) => {
        signal.addEventListener('abort', resolve)
      })
      await new Promise((resolve) => setTimeout(resolve, 50))
      ended = true
      throw stop
    }
    expect(await stopped((signal) => observe(withPlugins, ports, lookingUntil(signal), () => null))).toBe(
      stop,
    )
    expect(ended).toBe(true)
  })
})
