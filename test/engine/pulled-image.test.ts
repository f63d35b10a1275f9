import { describe, expect, it } from 'vitest'
import { FakeHost, labelled } from './fake-host.ts'

const LATEST = 'calico/node:latest'
const PULL = `docker pull ${LATEST}`

async function upgradeTo(label: string, allow: string[] = []) {
  const host = await FakeHost.create({ asked: { image: LATEST, label, allow } })
  const outcome = await host.run()
  return { host, outcome, state: host.agent.state() }
}

describe('an image that only the pull tells the version of', () => {
  it.each([
    ['v3.9.0', 'datastore-migration'],
    ['v2.6.4', 'withdrawn-version'],
    ['v2.4.1', 'downgrade'],
  ])('is refused before anything moves when it is %s: %s', async (label, code) => {
    const { host, outcome, state } = await upgradeTo(label)
    expect(outcome).toBe('refused')
    expect(state?.unwinding?.code).toBe(code)
    expect(host.ops).toEqual([PULL])
    expect(await host.flaws(outcome)).toEqual([])
  })

  it('is taken where its version may follow', async () => {
    const { outcome, state } = await upgradeTo('v2.6.12')
    const errors = state?.problems.filter(({ severity }) => severity === 'error')
    expect([outcome, errors]).toEqual(['upgraded', []])
  })

  it('is taken with a warning where that is allowed', async () => {
    const { outcome, state } = await upgradeTo('v3.9.0', ['datastore-migration'])
    const problems = state?.problems.map(({ code, severity }) => `${severity} ${code}`)
    expect(outcome).toBe('upgraded')
    expect(problems).toContain('warning datastore-migration')
  })
})

describe('a tag that moves between the look at the registry and the pull', () => {
  it('is refused before anything moves', async () => {
    const host = await FakeHost.create()
    host.agent.onMove = (_, what) => {
      if (what === 'pullImage') host.docker.images.publish('calico/node:v2.6.12', labelled('v2.6.13'))
    }
    expect(await host.run()).toBe('refused')
    expect(host.agent.state()?.unwinding).toMatchObject({
      code: 'image-changed',
      message: expect.stringMatching(/^cannot use calico\/node:v2.6.12: the pull brought sha256:/) as string,
    })
    expect(host.ops).toEqual(['docker pull calico/node:v2.6.12'])
    expect(await host.flaws('refused')).toEqual([])
  })
})
