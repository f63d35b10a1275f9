import { describe, expect, it } from 'vitest'
import { passedCheck, untilHealthy } from '../../agent/steps/controllers/trial.ts'
import type { StepContext } from '../../agent/steps/step.ts'
import { FakeClock } from '../fakes/clock.ts'
import { FakeDocker } from '../fakes/docker.ts'

const IMAGE = 'calico/kube-controllers:v3.17.6'
const CHECK = ['/usr/bin/check-status', '-r']

/** A container that ran before, was stopped, and is started again. */
async function startedAgain() {
  const docker = new FakeDocker()
  const clock = new FakeClock()
  docker.images.publish(IMAGE)
  docker.images.pull(IMAGE, () => undefined)
  const HostConfig = { NetworkMode: 'host', RestartPolicy: { Name: 'no' } }
  const id = await docker.createContainer('parked', { Image: IMAGE, HostConfig })
  await docker.startContainer(id)
  await docker.stopContainer(id)
  await docker.startContainer(id)
  const problems: string[] = []
  const emit: StepContext['emit'] = (event) => {
    if (event.type === 'problem') problems.push(event.problem.message)
  }
  const context = { docker, clock, emit, signal: new AbortController().signal } as unknown as StepContext
  return { docker, clock, id, context, problems }
}

/** What the start before left in the layer. */
const OLD_FILE = { text: '{"Readiness":{}}', modifiedAt: '2026-01-01T00:00:01.5Z' }

describe('the readiness of controllers that are started again', () => {
  it('is not what an earlier start wrote down', async () => {
    const { docker, id, context } = await startedAgain()
    docker.containerFileTail = (_, path) =>
      Promise.resolve(path === '/status/status.json' ? OLD_FILE : undefined)
    await expect(untilHealthy(id, CHECK, 5_000, context)).rejects.toThrow(
      /because of a file from before it started/,
    )
  })

  it('counts once this start has written it, and for longer than they look for their datastore', async () => {
    const { docker, clock, id, context } = await startedAgain()
    const since = clock.now()
    const readyAt = since + 3_000
    const now = { ...OLD_FILE, modifiedAt: '2026-01-01T00:00:03.2Z' }
    docker.containerFileTail = (_, path) =>
      Promise.resolve(path !== '/status.json' ? undefined : clock.now() < readyAt ? OLD_FILE : now)
    await untilHealthy(id, CHECK, 5_000, context)
    expect(clock.now() - readyAt).toBeGreaterThan(10_000)
  })

  it('counts where the file is nowhere to be found', async () => {
    const { id, context } = await startedAgain()
    await expect(untilHealthy(id, CHECK, 5_000, context)).resolves.toBeUndefined()
  })

  it('is not kept where the process finds its datastore away', async () => {
    const { docker, clock, id, context } = await startedAgain()
    void clock.sleep(10_000).then(() => {
      docker.exit(id, 1)
    })
    await expect(untilHealthy(id, null, 5_000, context)).rejects.toThrow(/does not stay up/)
  })
})

describe('the check of the old controllers', () => {
  it.each([
    [0, CHECK, 0],
    [1, null, 1],
    [126, CHECK, 0],
    [127, CHECK, 0],
  ])('that exits %i leaves the new ones held to %o', async (exitCode, held, warnings) => {
    const { docker, id, context, problems } = await startedAgain()
    docker.onExec = () => ({ exitCode, output: 'not ready' })
    expect(await passedCheck(id, CHECK, context)).toEqual(held)
    expect(problems).toHaveLength(warnings)
  })

  it('is waited for where they were started just now', async () => {
    const { docker, clock, id, context, problems } = await startedAgain()
    docker.date = () => clock.date()
    await docker.stopContainer(id)
    await docker.startContainer(id)
    await clock.sleep(100)
    const since = clock.now()
    docker.onExec = () => ({ exitCode: clock.now() - since < 3_000 ? 1 : 0, output: 'not ready' })
    expect([await passedCheck(id, CHECK, context), problems]).toEqual([CHECK, []])
    docker.onExec = () => ({ exitCode: 1, output: 'not ready' })
    expect(await passedCheck(id, CHECK, context)).toBe(null)
    expect(clock.now() - since).toBeLessThan(30_000)
  })
})
