import { describe, expect, it } from 'vitest'
import { AgentError } from '../../agent/core/errors.ts'
import { type Bad, manifestText, PATH, StaticPodHost, WAY_BACK } from './static-pod-host.ts'

const NEW = 'calico/kube-controllers:v3.26.1'
const OLD = 'calico/kube-controllers:v3.20.0'
const moved = ({ ops }: StaticPodHost): string[] => ops.filter((op) => !op.startsWith('docker exec'))

describe('a swap of a static pod', () => {
  it('takes the manifest out, sees the old one gone, and puts the new manifest in place', async () => {
    const host = await StaticPodHost.create()
    expect(await host.upgrade()).toBe('upgraded')
    expect(moved(host).map((op) => op.replace(/_\d+/, ''))).toEqual([
      `docker pull ${NEW}`,
      `rename ${PATH} ${WAY_BACK}`,
      'docker rm k8s_calico-kube-controllers_calico-kube-controllers',
      `write ${PATH}`,
      `docker create k8s_calico-kube-controllers_calico-kube-controllers ${NEW}`,
      'docker start k8s_calico-kube-controllers_calico-kube-controllers',
      `remove ${WAY_BACK}`,
    ])
    expect(await host.flaws('upgraded')).toEqual([])
    expect(host.run.state()?.controllersDownMs).toBeGreaterThan(0)
  })

  it.each<[Bad, string]>([
    ['exits', 'it does not stay up'],
    ['never ready', '/usr/bin/check-status -r exits with code 1: not ready'],
  ])('brings the old manifest back where the new one %s', async (bad, why) => {
    const host = await StaticPodHost.create(bad)
    expect(await host.upgrade()).toBe('rolled-back')
    expect(host.run.state()?.problems[0]).toMatchObject({ code: 'controllers-failed' })
    expect(host.run.state()?.problems[0]?.message).toContain(why)
    expect(await host.flaws('rolled-back')).toEqual([])
  })

  it('puts the manifest back where the kubelet does not heed it, and says so', async () => {
    const host = await StaticPodHost.create()
    host.pods.isAsleep = true
    expect(await host.upgrade()).toBe('rolled-back')
    expect(host.run.state()?.problems).toMatchObject([{ code: 'static-pod-not-stopped' }])
    expect(moved(host).some((op) => op === `write ${PATH}`)).toBe(false)
    expect(await host.flaws('rolled-back')).toEqual([])
  })

  it('is stuck, and starts nothing, where the kubelet falls asleep with the new one running', async () => {
    const host = await StaticPodHost.create('never ready')
    host.docker.onExec = ({ Config }) => {
      if (Config.Image !== NEW) return { exitCode: 0, output: '' }
      host.pods.isAsleep = true
      return { exitCode: 1, output: 'not ready' }
    }
    expect(await host.upgrade()).toBe('stuck')
    expect(host.running).toEqual([NEW])
    expect(host.manifests.files.has(WAY_BACK)).toBe(true)
  })

  it('holds the new one to no check that the old one does not pass', async () => {
    const host = await StaticPodHost.create('silent')
    expect(await host.upgrade()).toBe('upgraded')
    expect(host.run.state()?.problems).toMatchObject([{ code: 'health-check-failing' }])
  })

  it.each([
    ['was changed', () => manifestText(`${OLD}-ours`)],
    ['is gone', () => null],
  ])('does not begin where the manifest %s since', async (_, text) => {
    const host = await StaticPodHost.create()
    host.run.onMove = (_move, what) => {
      const now = text()
      if (what !== 'pullImage') return
      if (now === null) host.manifests.files.delete(PATH)
      else host.manifests.files.set(PATH, { text: now, mode: 0o600, uid: 0, gid: 0 })
    }
    expect(await host.upgrade()).toBe('refused')
    expect(host.run.state()?.problems).toMatchObject([{ code: 'manifest-changed' }])
    expect(host.running).toEqual([OLD])
  })

  it('does not begin where the kubelet was stopped since', async () => {
    const host = await StaticPodHost.create()
    host.run.onMove = (_, what) => {
      if (what === 'pullImage')
        host.systemd.kubelet.facts = { ...host.systemd.kubelet.facts, state: 'stopped' }
    }
    expect(await host.upgrade()).toBe('refused')
    expect(host.run.state()?.problems).toMatchObject([{ code: 'kubelet-not-running' }])
  })

  it('leaves a manifest alone that somebody else writes during the trial', async () => {
    const host = await StaticPodHost.create('never ready')
    const theirs = manifestText(OLD).replace('# ours', '# theirs')
    host.docker.onExec = ({ Config }) => {
      if (Config.Image !== NEW) return { exitCode: 0, output: '' }
      host.docker.onExec = () => ({ exitCode: 1, output: '' })
      void host.manifests.put(PATH, theirs, { mode: 0o600, uid: 0, gid: 0 })
      return { exitCode: 1, output: '' }
    }
    expect(await host.upgrade()).toBe('rolled-back')
    expect(host.manifests.files.get(PATH)?.text).toBe(theirs)
    expect(host.manifests.files.has(WAY_BACK)).toBe(false)
    expect(host.run.state()?.problems.map(({ code }) => code)).toContain('manifest-changed')
  })

  it('goes back where it is cancelled while the kubelet starts the new one', async () => {
    const host = await StaticPodHost.create()
    const cancel = new AbortController()
    const write = host.manifests.put.bind(host.manifests)
    host.manifests.put = async (...args) => {
      await write(...args)
      cancel.abort(new AgentError('cancelled', 'stopped', { fix: 'none' }))
    }
    expect(await host.upgrade(undefined, cancel.signal)).toBe('rolled-back')
    expect(await host.flaws('rolled-back')).toEqual([])
  })
})

/** What goes wrong when the agent dies at any of its moves, and is resumed so long after. */
async function flawsOfDeaths(bad: Bad | undefined, powerCut: boolean, waitMs: number): Promise<string[]> {
  const whole = await StaticPodHost.create(bad)
  await whole.upgrade()
  const all: string[] = []
  for (const { at, before } of whole.run.deaths) {
    const host = await StaticPodHost.create(bad)
    const isDead = (await host.upgrade({ at, before })) === 'killed'
    if (powerCut) await host.powerCycle()
    if (waitMs > 0) await host.clock.sleep(waitMs)
    const outcome = await host.resume()
    const flaws = isDead ? await host.flaws(outcome) : ['it was not killed']
    all.push(...flaws.map((flaw) => `died ${before ? 'before' : 'after'} move ${at}, ${outcome}: ${flaw}`))
  }
  return all
}

describe('an agent that dies at any moment of it', () => {
  it.each<[Bad | undefined, boolean, number]>([
    [undefined, false, 0],
    [undefined, false, 15_000],
    [undefined, true, 0],
    [undefined, true, 15_000],
    ['exits', false, 0],
    ['exits', true, 15_000],
    ['never ready', false, 15_000],
    ['never ready', true, 0],
  ])('leaves one instance: image %s, power cut %s, resumed after %i ms', async (...options) => {
    expect(await flawsOfDeaths(...options)).toEqual([])
  })

  it('twice leaves one instance as well', async () => {
    const whole = await StaticPodHost.create()
    await whole.upgrade()
    for (let at = 0; at < whole.run.moves; at++) {
      for (let again = 0; again < 6; again++) {
        const host = await StaticPodHost.create()
        await host.upgrade({ at, before: false })
        await host.resume({ at: again, before: false })
        expect({ at, again, flaws: await host.flaws(await host.resume()) }).toEqual({ at, again, flaws: [] })
      }
    }
  })
})

describe('the kubelet of these tests', () => {
  it('runs two at once when a manifest is edited in its place', async () => {
    const host = await StaticPodHost.create()
    host.docker.images.pull(NEW, () => undefined)
    await host.manifests.put(PATH, manifestText(NEW), { mode: 0o640, uid: 0, gid: 42 })
    expect(await host.flaws('upgraded')).toEqual([`${NEW} started beside ${OLD}`])
  })
})
