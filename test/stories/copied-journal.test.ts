// A state directory that came from another host, with its image or from its backup.

import { beforeEach, describe, expect, it } from 'vitest'
import { RUN_LABEL } from '../../agent/core/docker/container-spec.ts'
import type { HostIdentity } from '../../agent/core/host-identity.ts'
import { RunStore } from '../../agent/journal/store.ts'
import type { App } from '../../agent/stories/app.ts'
import { resume } from '../../agent/stories/resume.ts'
import { rollback } from '../../agent/stories/rollback/rollback.ts'
import { status } from '../../agent/stories/status.ts'
import { upgrade } from '../../agent/stories/upgrade.ts'
import { wanted as nothing } from '../core/observed.ts'
import { FakeHost } from '../engine/fake-host.ts'
import { MemoryFiles } from '../journal/memory-files.ts'
import { plan } from '../journal/sample.ts'
import { appOn } from './app-on.ts'

const here: HostIdentity = { machine: 'aaaa', name: 'host1' }
const elsewhere: HostIdentity = { machine: 'bbbb', name: 'host2' }
const wanted = { ...nothing, node: { ...nothing.node, image: 'calico/node:v2.6.12' }, settleMs: 1_000 }
const copied = { code: 'journal-copied', exitCode: 3 }

let host: FakeHost
let files: MemoryFiles
beforeEach(async () => {
  host = await FakeHost.create()
  files = new MemoryFiles()
})

function appAt(identity: HostIdentity | null): App {
  return appOn(host, { runs: new RunStore(files, host.clock, identity) })
}

describe('an interrupted run of another host', () => {
  beforeEach(async () => {
    await appAt(elsewhere).runs.begin('0.1.0', plan('run-9'), [])
  })

  it('is resumed by no command, and its journal stays as it is', async () => {
    const before = files.texts.get('run-9.jsonl')
    const app = appAt(here)
    await expect(resume(app, wanted)).rejects.toMatchObject(copied)
    await expect(upgrade(app, wanted)).rejects.toMatchObject(copied)
    await expect(rollback(app, wanted, undefined)).rejects.toMatchObject({
      ...copied,
      message: expect.stringContaining('it belongs to host host2') as unknown,
      fix: expect.stringContaining('/state/runs/run-9.jsonl') as unknown,
    })
    expect(files.texts.get('run-9.jsonl')).toBe(before)
    expect(host.ops.filter((op) => op.startsWith('docker kill'))).toEqual([])
  })

  it('is said to be so by status', async () => {
    const { problems } = await status(appAt(here), nothing)
    expect(problems.map(({ code }) => code)).toContain('journal-copied')
  })

  it.each<[string, HostIdentity | null]>([
    ['was renamed since', { ...elsewhere, name: 'renamed' }],
    ['got another machine-id at its boot', { ...elsewhere, machine: 'cccc' }],
    ['has no machine-id', { machine: null, name: 'host3' }],
  ])('is this one’s where the host %s', async (_what, identity) => {
    expect(await resume(appAt(identity), wanted)).toMatchObject({ run: 'run-9' })
  })

  it('is this one’s where its container is here, whatever the host is called now', async () => {
    const HostConfig = { NetworkMode: 'host', RestartPolicy: { Name: 'no' } }
    const Labels = { [RUN_LABEL]: 'run-9' }
    await host.docker.createContainer('next', { Image: 'calico/node:v2.6.5', Labels, HostConfig })
    expect(await resume(appAt(here), wanted)).toMatchObject({ run: 'run-9' })
  })
})

it('a committed run of another host is not rolled back here', async () => {
  expect(await upgrade(appAt(elsewhere), wanted)).toMatchObject({ outcome: 'upgraded' })
  for (const { id } of await host.docker.listContainers(RUN_LABEL)) await host.docker.removeContainer(id)
  const parked = await host.docker.inspectContainer('calico-node-parked-run-1')
  await host.docker.removeContainer(parked?.Id ?? '')
  await expect(rollback(appAt(here), wanted, undefined)).rejects.toMatchObject(copied)
})
