import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { CreateBody } from '../../agent/core/docker/json.ts'
import { AgentError } from '../../agent/core/errors.ts'
import type { Docker, PullProgress } from '../../agent/ports/docker.ts'
import { runtimeContract } from './runtime-contract.ts'

/** An Engine with what the contract needs of it; real and fake ones are held to the same sentences. */
export interface DockerUnderTest {
  docker: Docker
  /** A local image whose own command runs until it is killed. */
  image: string
  /** A network mode that its containers can start with. */
  networkMode: string
  /** Can be pulled, is not here yet. */
  pullable: string
  /** Its registry does not know it. */
  missing: string
  /** A regular file of the image. */
  file: { path: string; text: string }
  /** A command in the container, and what comes of it. */
  command: { argv: string[]; exitCode: number; output: string }
  /** A command that outlasts 300 ms. */
  slowCommand: string[]
  /** Takes the contract's containers and the pulled image away. */
  dispose(): Promise<void>
}

const never = new AbortController().signal
const names = ['contract-1', 'contract-2']

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  return error instanceof AgentError ? error.code : String(error)
}

/** Registers the tests that every implementation of the port passes. */
export function dockerContract(name: string, makeDocker: () => Promise<DockerUnderTest>): void {
  runtimeContract(name, async () => {
    const made = await makeDocker()
    const { docker, image, networkMode, file, pullable, missing } = made
    return {
      ...{ runtime: docker, label: 'contract.of=runtime', networkMode, file, pullable, missing },
      async start() {
        const HostConfig = { NetworkMode: networkMode, RestartPolicy: { Name: 'no' } }
        const Labels = { 'contract.of': 'runtime' }
        const id = await docker.createContainer('contract-1', { Image: image, Labels, HostConfig })
        await docker.startContainer(id)
        return id
      },
      async dispose() {
        await docker.removeContainer('contract-1')
        await docker.removeImage(pullable)
        await made.dispose()
      },
    }
  })

  describe(`the Docker contract: ${name}`, () => {
    let subject: DockerUnderTest
    let docker: Docker
    beforeEach(async () => {
      subject = await makeDocker()
      docker = subject.docker
    })
    afterEach(async () => {
      for (const container of names) await docker.removeContainer(container)
      await subject.dispose()
    })

    function body(
      host: Partial<CreateBody['HostConfig']> = {},
      config: Partial<CreateBody> = {},
    ): CreateBody {
      return {
        Image: subject.image,
        ...config,
        HostConfig: { NetworkMode: subject.networkMode, RestartPolicy: { Name: 'no' }, ...host },
      }
    }
    async function state(container: string) {
      return (await docker.inspectContainer(container))?.State
    }

    it('tells what the Engine is', async () => {
      expect(await docker.info()).toMatchObject({
        architecture: expect.stringMatching(/^(amd64|arm64)$/) as string,
        os: 'linux',
      })
    })

    it('finds a container by name, id and prefix of the id, and none where there is none', async () => {
      expect(await docker.inspectContainer('contract-1')).toBeUndefined()
      const id = await docker.createContainer('contract-1', body())
      for (const key of ['contract-1', id, id.slice(0, 12)]) {
        expect(await docker.inspectContainer(key)).toMatchObject({ Id: id, Name: '/contract-1' })
      }
    })

    it('creates with what was given, and the image supplies the rest', async () => {
      const labels = { 'contract.run': '7' }
      await docker.createContainer('contract-1', body({}, { Env: ['A=1'], Labels: labels }))
      const found = await docker.inspectContainer('contract-1')
      expect(found?.Config.Env).toContain('A=1')
      expect(found?.Config.Labels).toMatchObject(labels)
      expect(found?.Config.Cmd).toEqual((await docker.inspectImage(subject.image))?.Config?.Cmd)
      expect(found?.State).toMatchObject({ Status: 'created', Running: false })
    })

    it('does not create what cannot be', async () => {
      await docker.createContainer('contract-1', body())
      expect(await codeOf(docker.createContainer('contract-1', body()))).toBe('container-name-taken')
      expect(await codeOf(docker.createContainer('contract-2', body({}, { Image: 'contract-none:1' })))).toBe(
        'image-missing',
      )
      expect(await docker.inspectContainer('contract-2')).toBeUndefined()
    })

    it('starts, and starting again changes nothing', async () => {
      const id = await docker.createContainer('contract-1', body())
      await docker.startContainer(id)
      const first = await state(id)
      expect(first).toMatchObject({ Running: true, Status: 'running' })
      await docker.startContainer(id)
      expect(await state(id)).toEqual(first)
      expect(await codeOf(docker.startContainer('contract-2'))).toBe('container-not-found')
    })

    it('a stop is over when the container has exited', async () => {
      const id = await docker.createContainer('contract-1', body({}, { StopTimeout: 1 }))
      await docker.stopContainer(id)
      await docker.startContainer(id)
      await docker.stopContainer(id)
      expect(await state(id)).toMatchObject({ Running: false, Status: 'exited', Pid: 0 })
      await docker.stopContainer(id)
      await docker.stopContainer('contract-2')
    })

    it('no restart policy undoes a stop while the Engine runs', async () => {
      const always = { RestartPolicy: { Name: 'always' } }
      const id = await docker.createContainer('contract-1', body(always, { StopTimeout: 1 }))
      await docker.startContainer(id)
      await docker.stopContainer(id)
      expect(await state(id)).toMatchObject({ Running: false })
    })

    it('no restart policy undoes a kill while the Engine runs', async () => {
      const id = await docker.createContainer('contract-1', body({ RestartPolicy: { Name: 'always' } }))
      await docker.startContainer(id)
      await docker.killContainer(id)
      expect(await state(id)).toMatchObject({ Running: false })
    })

    it('a second start is another instance', async () => {
      const id = await docker.createContainer('contract-1', body())
      await docker.startContainer(id)
      const first = await state(id)
      await docker.killContainer(id)
      await docker.startContainer(id)
      expect((await state(id))?.StartedAt).not.toBe(first?.StartedAt)
    })

    it('an AutoRemove container has exited after a kill, and is gone after a removal', async () => {
      const id = await docker.createContainer('contract-1', body({ AutoRemove: true }))
      await docker.startContainer(id)
      await docker.killContainer(id)
      expect((await state(id))?.Running ?? false).toBe(false)
      await docker.removeContainer(id)
      expect(await docker.inspectContainer(id)).toBeUndefined()
      await docker.createContainer('contract-1', body())
    })

    it('renames, but not over another container', async () => {
      const id = await docker.createContainer('contract-1', body())
      await docker.renameContainer(id, 'contract-2')
      await docker.renameContainer(id, 'contract-2')
      expect(await docker.inspectContainer('contract-1')).toBeUndefined()
      const other = await docker.createContainer('contract-1', body())
      expect(await codeOf(docker.renameContainer(other, 'contract-2'))).toBe('container-name-taken')
      expect((await docker.inspectContainer('contract-2'))?.Id).toBe(id)
    })

    it('sets the restart policy', async () => {
      const id = await docker.createContainer('contract-1', body())
      await docker.setRestartPolicy(id, { Name: 'on-failure', MaximumRetryCount: 3 })
      const found = await docker.inspectContainer(id)
      expect(found?.HostConfig.RestartPolicy).toMatchObject({ Name: 'on-failure', MaximumRetryCount: 3 })
      expect(await codeOf(docker.setRestartPolicy('contract-2', { Name: 'no' }))).toBe('container-not-found')
    })

    it('removes what runs, and what is gone', async () => {
      const id = await docker.createContainer('contract-1', body())
      await docker.startContainer(id)
      await docker.removeContainer(id)
      expect(await docker.inspectContainer(id)).toBeUndefined()
      await docker.removeContainer(id)
    })

    it('keeps the volumes of what it removes', async () => {
      const id = await docker.createContainer('contract-1', body({}, { Volumes: { '/data': {} } }))
      const volume = (await docker.inspectContainer(id))?.Mounts[0]?.Name ?? ''
      expect(volume).toHaveLength(64)
      expect(await codeOf(docker.removeVolume(volume))).toBe('docker-failed')
      await docker.removeContainer(id)
      await docker.createContainer('contract-2', body({ Binds: [`${volume}:/data`] }))
      expect((await docker.inspectContainer('contract-2'))?.Mounts[0]?.Name).toBe(volume)
      await docker.removeContainer('contract-2')
      await docker.removeVolume(volume)
      await docker.removeVolume(volume)
    })

    it('lists by label, stopped ones too', async () => {
      const id = await docker.createContainer('contract-1', body({}, { Labels: { 'contract.run': '7' } }))
      await docker.createContainer('contract-2', body())
      expect(await docker.listContainers('contract.run')).toEqual([
        {
          id,
          name: 'contract-1',
          state: 'created',
          labels: expect.objectContaining({ 'contract.run': '7' }) as object,
        },
      ])
    })

    it('lists what runs, with its program and its mounts', async () => {
      const id = await docker.createContainer('contract-1', body({ Binds: ['/tmp:/data:ro', '/tmp:/work'] }))
      await docker.createContainer('contract-2', body())
      const running = async () =>
        (await docker.runningContainers()).filter(({ name }) => name.startsWith('contract-'))
      expect(await running()).toEqual([])
      await docker.startContainer(id)
      expect(await running()).toMatchObject([{ id, name: 'contract-1', networkMode: subject.networkMode }])
      const [found] = await running()
      expect(found?.image).toBe(subject.image)
      expect(found?.command).not.toBe('')
      expect(found?.mounts).toEqual(
        expect.arrayContaining([
          { target: '/data', writable: false },
          { target: '/work', writable: true },
        ]),
      )
    })

    it('runs a command where the container runs', async () => {
      const id = await docker.createContainer('contract-1', body())
      const { argv, exitCode, output } = subject.command
      expect(await codeOf(docker.exec(id, argv, 10_000))).toBe('container-not-running')
      await docker.startContainer(id)
      expect(await docker.exec(id, argv, 10_000)).toEqual({ exitCode, output })
      expect(await codeOf(docker.exec(id, subject.slowCommand, 300))).toBe('exec-timeout')
    })

    it('reads a file of a container that never ran', async () => {
      const id = await docker.createContainer('contract-1', body())
      expect(await docker.readContainerFile(id, subject.file.path)).toBe(subject.file.text)
      expect(await docker.readContainerFile(id, '/no/such/file')).toBeUndefined()
      expect(await codeOf(docker.readContainerFile('contract-2', subject.file.path))).toBe(
        'container-not-found',
      )
    })

    it('shows the end of a file, and when it was written', async () => {
      const id = await docker.createContainer('contract-1', body())
      const tail = await docker.containerFileTail(id, subject.file.path)
      expect(tail?.text).toBe(subject.file.text)
      expect(Date.parse(tail?.modifiedAt ?? '')).not.toBeNaN()
      expect(await docker.containerFileTail(id, '/never/there')).toBeUndefined()
      expect(await docker.containerFileTail('gone', subject.file.path)).toBeUndefined()
      expect(await docker.fileAccess(id, subject.file.path)).toMatchObject({ uid: 0, gid: 0 })
      expect(await docker.fileAccess(id, '/never/there')).toBeUndefined()
    })

    it('tells of a network that is not there at the start, not before', async () => {
      const id = await docker.createContainer('contract-1', body())
      await docker.connectNetwork(id, 'contract-none', {})
      expect(await codeOf(docker.startContainer(id))).toBe('network-not-found')
    })

    it('pulls what the registry has, and removes it', async () => {
      expect(await docker.inspectImage(subject.pullable)).toBeUndefined()
      const remote = await docker.inspectRemoteImage(subject.pullable, () => undefined, never)
      const { digest, platforms } = remote ?? {}
      const steps: PullProgress[] = []
      await docker.pullImage(subject.pullable, (step) => steps.push(step), never)
      const image = await docker.inspectImage(subject.pullable)
      expect(image?.RepoTags).toContain(subject.pullable)
      expect(image?.RepoDigests?.map((entry) => entry.split('@')[1])).toContain(digest)
      expect(platforms).toEqual([`${image?.Os ?? ''}/${image?.Architecture ?? ''}`])
      expect(steps.at(-1)?.layersDone).toBe(steps.at(-1)?.layers)
      expect(await docker.removeImage(subject.pullable)).toBe(true)
      expect(await docker.removeImage(subject.pullable)).toBe(false)
      expect(await docker.inspectImage(subject.pullable)).toBeUndefined()
    })

    it('names an image that the registry does not have', async () => {
      expect(await codeOf(docker.inspectRemoteImage(subject.missing, () => undefined, never))).toBe(
        'image-not-found',
      )
    })

    it('keeps an image that a container needs', async () => {
      await docker.pullImage(subject.pullable, () => undefined, never)
      await docker.createContainer('contract-1', body({}, { Image: subject.pullable }))
      expect(await docker.removeImage(subject.pullable)).toBe(false)
      await docker.removeContainer('contract-1')
      expect(await docker.removeImage(subject.pullable)).toBe(true)
    })
  })
}
