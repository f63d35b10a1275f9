import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AgentError } from '../../agent/core/errors.ts'
import type { ContainerRuntime } from '../../agent/ports/docker.ts'

/** A container runtime with what the contract needs of it: Docker, its fake, and what runs the pods of a node. */
export interface RuntimeUnderTest {
  runtime: ContainerRuntime
  /** Starts a container that runs until it is killed. Resolves to its id. */
  start(): Promise<string>
  /** All of them carry it, and no other container does. */
  label: string
  networkMode: string
  /** A regular file in them. */
  file: { path: string; text: string }
  /** Can be pulled, is not here yet. */
  pullable: string
  /** Its registry does not know it. */
  missing: string
  /** Takes the contract's containers away. */
  dispose(): Promise<void>
}

const never = new AbortController().signal
const NOWHERE = 'e'.repeat(64)

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  return error instanceof AgentError ? error.code : String(error)
}

/** Registers the tests that every container runtime passes. */
export function runtimeContract(name: string, makeRuntime: () => Promise<RuntimeUnderTest>): void {
  describe(`the contract of a container runtime: ${name}`, () => {
    let subject: RuntimeUnderTest
    let runtime: ContainerRuntime
    beforeEach(async () => {
      subject = await makeRuntime()
      runtime = subject.runtime
    })
    afterEach(() => subject.dispose())

    it('knows nothing of a container that never was', async () => {
      expect(await runtime.inspectContainer(NOWHERE)).toBeUndefined()
      expect(await runtime.containerLog(NOWHERE, 5)).toBe('')
      expect(await runtime.containerFileTail(NOWHERE, subject.file.path)).toBeUndefined()
      expect(await codeOf(runtime.readContainerFile(NOWHERE, subject.file.path))).toBe('container-not-found')
      await runtime.killContainer(NOWHERE)
      expect(await runtime.listContainers(subject.label)).toEqual([])
    })

    it('shows a container that runs, by its id, the beginning of it and its name', async () => {
      const id = await subject.start()
      const found = await runtime.inspectContainer(id)
      expect(found?.Id).toBe(id)
      expect(found?.State).toMatchObject({ Running: true, Status: 'running' })
      expect(found?.State.Pid).toBeGreaterThan(0)
      expect(Date.parse(found?.State.StartedAt ?? '')).not.toBeNaN()
      expect(found?.HostConfig.NetworkMode).toBe(subject.networkMode)
      for (const of of [id.slice(0, 12), found?.Name.slice(1) ?? ''])
        expect((await runtime.inspectContainer(of))?.Id).toBe(id)
    })

    it('a kill is over when the container has exited', async () => {
      const id = await subject.start()
      await runtime.killContainer(id)
      const found = await runtime.inspectContainer(id)
      expect(found?.State).toMatchObject({ Running: false, Status: 'exited', ExitCode: 137, Pid: 0 })
      await runtime.killContainer(id)
    })

    it('lists by label, also one that has ended', async () => {
      const id = await subject.start()
      const [key = '', value = ''] = subject.label.split('=')
      const one = { id, labels: expect.objectContaining({ [key]: value }) as object }
      expect(await runtime.listContainers(subject.label)).toMatchObject([{ ...one, state: 'running' }])
      expect(await runtime.listContainers(key)).toContainEqual(expect.objectContaining({ id }))
      await runtime.killContainer(id)
      expect(await runtime.listContainers(subject.label)).toMatchObject([{ ...one, state: 'exited' }])
    })

    it('lists what runs', async () => {
      const id = await subject.start()
      const found = async () => (await runtime.runningContainers()).find((one) => one.id === id)
      expect(await found()).toMatchObject({ networkMode: subject.networkMode })
      expect((await found())?.command).not.toBe('')
      await runtime.killContainer(id)
      expect(await found()).toBeUndefined()
    })

    it('reads a file of a container that runs', async () => {
      const id = await subject.start()
      const { path, text } = subject.file
      expect(await runtime.readContainerFile(id, path)).toBe(text)
      expect(await runtime.readContainerFile(id, '/no/such/file')).toBeUndefined()
      expect(await runtime.readContainerFile(id, `${path}/below`)).toBeUndefined()
      expect((await runtime.containerFileTail(id, path))?.text).toBe(text)
      expect(await runtime.containerFileTail(id, '/no/such/file')).toBeUndefined()
    })

    it('shows the processes of a container that runs', async () => {
      const id = await subject.start()
      const [first] = await runtime.processes(id)
      expect(first?.pid).toBeGreaterThan(0)
      expect(first?.args).not.toBe('')
      await runtime.killContainer(id)
      expect(await codeOf(runtime.processes(id))).toBe('container-not-running')
    })

    it('names an image that the registry does not have', async () => {
      expect(await codeOf(runtime.pullImage(subject.missing, () => undefined, never))).toBe('image-not-found')
      expect(await runtime.inspectImage(subject.missing)).toBeUndefined()
    })

    it('does not begin a pull that is aborted', async () => {
      const reason = new Error('asked to stop')
      const work = runtime.pullImage(subject.pullable, () => undefined, AbortSignal.abort(reason))
      await expect(work).rejects.toBe(reason)
    })

    it('has what it has pulled', async () => {
      await runtime.pullImage(subject.pullable, () => undefined, never)
      const image = await runtime.inspectImage(subject.pullable)
      expect(image?.RepoTags).toContain(subject.pullable)
      expect(image?.RepoDigests?.[0]).toMatch(/@sha256:[0-9a-f]{64}$/)
      const { architecture, os } = await runtime.info()
      expect(image).toMatchObject({ Architecture: architecture, Os: os })
    })
  })
}
