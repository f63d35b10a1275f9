import { beforeEach, describe, expect, it, vi } from 'vitest'
import { logTail, nodeLogTail } from '../../agent/steps/container/log-tail.ts'
import { FakeDocker } from '../fakes/docker.ts'

const unhealthy = 'not recovered after 70 s (http://localhost:9099/readiness answers 503)'
const noBird = 'not recovered after 70 s (BIRD is not up)'
const exited = 'it exited with code 1'
/** The fake's containers start in the past, and its files are written later. */
const now = '2099-01-01 00:00:00.000'

let docker: FakeDocker
let id: string
beforeEach(async () => {
  docker = new FakeDocker()
  docker.images.publish('calico/node:v2.6.12')
  docker.images.pull('calico/node:v2.6.12', () => undefined)
  id = await docker.createContainer('calico-node', {
    Image: 'calico/node:v2.6.12',
    HostConfig: { NetworkMode: 'host', RestartPolicy: { Name: 'no' } },
  })
  await docker.startContainer(id)
  docker.log = 'Skipping datastore connection test\nCalico node started successfully\n'
})

const partLogs = (part: string, ...lines: string[]): void => {
  docker.files.set(`/var/log/calico/${part}/current`, lines.map((line) => `${line}\n`).join(''))
}

describe('the end of the logs of a calico/node', () => {
  beforeEach(() => {
    partLogs('felix', `${now} [INFO][1] up`, `${now} [WARNING][1] health.go 100: Reporter is not ready.`)
    partLogs('bird', `${now} bird: Started`, `${now} bird: Reconfigured`)
    partLogs('confd', `${now} confd[1]: [INFO] rendered`)
  })

  it.each([
    [unhealthy, '; felix logged: [WARNING][1] health.go 100: Reporter is not ready'],
    [noBird, '; bird logged: bird: Started | bird: Reconfigured; confd logged: confd[1]: [INFO] rendered'],
    [exited, '; felix logged: [WARNING][1] health.go 100: Reporter is not ready'],
  ])('is of those that are concerned: %s', async (why, text) => {
    expect(await nodeLogTail(docker, id, why)).toBe(text)
  })

  it('reads no log that cannot explain the failure', async () => {
    const read = vi.spyOn(docker, 'containerFileTail')
    await nodeLogTail(docker, id, unhealthy)
    expect(read.mock.calls).toEqual([[id, '/var/log/calico/felix/current']])
  })

  it('names a datastore that is away, by the words of any of its clients', async () => {
    const away = 'client: etcd cluster is unavailable or misconfigured'
    partLogs('felix', `${now} [ERROR][1] ${away}`)
    const text = await nodeLogTail(docker, id, unhealthy)
    expect(text).toBe(
      `; according to its log the datastore does not answer; felix logged: [ERROR][1] ${away}`,
    )
    expect(await nodeLogTail(docker, id, noBird)).toContain(
      '; according to its log the datastore does not answer; bird logged',
    )
    partLogs('felix')
    docker.log = 'Waiting for datastore connection...'
    expect(await nodeLogTail(docker, id, exited)).toBe(
      '; according to its log the datastore does not answer; the end of its log: Waiting for datastore connection',
    )
  })

  it('leaves out what another container wrote before', async () => {
    partLogs('felix', '2001-01-01 00:00:00.000 [ERROR][9] of the old one', `${now} [ERROR][1] of this one`)
    expect(await nodeLogTail(docker, id, unhealthy)).toBe('; felix logged: [ERROR][1] of this one')
  })
})

it('is the end of its own log where the parts log there, or nowhere', async () => {
  docker.log = 'a\nb\n2001-01-01 00:00:00.000 [ERROR] ETCD_PASSWORD=hunter2 at https://u:hunter2@192.0.2.9.\n'
  for (const text of [await nodeLogTail(docker, id, unhealthy), await logTail(docker, id)])
    expect(text).toBe(
      '; the end of its log: a | b | [ERROR] ETCD_PASSWORD=<redacted> at https://<redacted>@192.0.2.9',
    )
})

it('is empty where there is none, and where Docker does not answer', async () => {
  docker.log = ''
  expect(await nodeLogTail(docker, id, exited)).toBe('')
  docker.log = 'x'
  docker.failNext('inspectContainer', new Error('away'))
  expect(await nodeLogTail(docker, id, exited)).toBe('; the end of its log: x')
  expect(await nodeLogTail(docker, 'gone', exited)).toBe('; the end of its log: x')
})
