import { beforeEach, describe, expect, it } from 'vitest'
import { keptName, stagingName } from '../../agent/core/cni/files.ts'
import type { OldContainer, Plan, PlannedStep } from '../../agent/core/plan/plan.ts'
import type { Outcome } from '../../agent/core/report/report.ts'
import type { JournalEntry } from '../../agent/journal/record.ts'
import { RunStore } from '../../agent/journal/store.ts'
import { renderGc } from '../../agent/report/gc.ts'
import type { App } from '../../agent/stories/app.ts'
import { gc, planGc } from '../../agent/stories/gc/gc.ts'
import { wanted } from '../core/observed.ts'
import { FakeClock } from '../fakes/clock.ts'
import { FakeCniConfigs } from '../fakes/cni-config.ts'
import { FakeDocker } from '../fakes/docker.ts'
import { recordsOf, textOf } from '../journal/sample.ts'

const BIN = '/opt/cni/bin'
const tag = (n: number): string => `calico/node:v2.6.${n}`
const run = (n: number): string => `2026112${n}T141503Z-0000`

let docker: FakeDocker
let configs: FakeCniConfigs
let texts: Map<string, string>
let locks: string[]

/** calico-node was upgraded three times: from 1 to 2, 3 and 4; each old container is parked still. */
beforeEach(async () => {
  docker = new FakeDocker()
  configs = new FakeCniConfigs()
  texts = new Map()
  locks = []
  for (const n of [1, 2, 3, 4]) {
    docker.images.publish(tag(n))
    docker.images.pull(tag(n), () => undefined)
    const name = n === 4 ? 'calico-node' : `calico-node-parked-${run(n)}`
    const id = await docker.createContainer(name, {
      Image: tag(n),
      HostConfig: { NetworkMode: 'host', RestartPolicy: { Name: 'no' } },
    })
    if (n < 4) journal(n, [swapFrom(n, id), swapPlugins(n)])
    else await docker.startContainer(id)
  }
})

function swapFrom(n: number, id: string): PlannedStep {
  const old = { id, name: 'calico-node', image: tag(n), imageId: '' } as unknown as OldContainer
  const args = { old, next: { createdBy: run(n) }, gate: {} } as never
  return { kind: 'swap-container', component: 'node', args }
}

function swapPlugins(n: number): PlannedStep {
  configs.put(kept(n), 'old')
  const args = { run: run(n), binDir: BIN, names: ['calico'], image: null }
  return { kind: 'swap-binaries', component: 'cni', args }
}

function stage(n: number): PlannedStep {
  configs.put(staged(n), 'new')
  const binaries = [{ name: 'calico', sha256: null }]
  const source = { kind: 'directory', path: '/srv' } as const
  const args = { run: run(n), source, binDir: BIN, binaries, cniVersion: null }
  return { kind: 'stage-binaries', component: 'cni', args }
}

const kept = (n: number): string => `${BIN}/${keptName(run(n), 'calico')}`
const staged = (n: number): string => `${BIN}/${stagingName(run(n))}`

function journal(
  n: number,
  steps: PlannedStep[],
  { command = 'upgrade', outcome = 'upgraded' }: { command?: Plan['command']; outcome?: Outcome | null } = {},
): void {
  const plan: Plan = { run: run(n), command, components: {}, steps }
  const entries: JournalEntry[] = [{ type: 'run', order: n, agent: '1', plan, problems: [] }]
  if (outcome !== null) entries.push({ type: 'finished', outcome })
  texts.set(`${run(n)}.jsonl`, textOf(recordsOf(entries)))
}

function app(keepRuns = 20) {
  const clock = new FakeClock()
  const files = {
    directory: '/runs',
    list: () => Promise.resolve([...texts.keys()]),
    read: (name: string) => Promise.resolve(texts.get(name) ?? ''),
    open: () => Promise.reject(new Error('gc begins no run')),
    remove: (name: string) => Promise.resolve(void texts.delete(name)),
    readPruned: () => Promise.resolve(null),
    writePruned: () => Promise.resolve(),
  }
  const lock = (command: string) => Promise.resolve(void locks.push(command))
  const ports = { docker, configs, clock } as unknown as App['ports']
  const { signal } = new AbortController()
  return { ports, runs: new RunStore(files, clock), lock, keepRuns, signal, emit: () => undefined }
}

const names = async (): Promise<string[]> => {
  const ids = ['calico-node', ...[1, 2, 3].map((n) => `calico-node-parked-${run(n)}`)]
  const found = await Promise.all(ids.map((name) => docker.inspectContainer(name)))
  return found.flatMap((one) => one?.Name.slice(1) ?? [])
}

const garbage = {
  changed: true,
  containers: [`calico-node-parked-${run(2)}`, `calico-node-parked-${run(1)}`],
  images: [tag(2), tag(1)],
  files: [kept(2), kept(1)],
  journals: [],
  problems: [],
}

describe('gc', () => {
  it('removes what is older than the newest way back, and nothing the next time', async () => {
    expect(await gc(app(), wanted)).toMatchObject(garbage)
    expect(await names()).toEqual(['calico-node', `calico-node-parked-${run(3)}`])
    expect(await docker.inspectImage(tag(3))).toBeDefined()
    expect(await docker.inspectImage(tag(2))).toBeUndefined()
    expect([await configs.exists(kept(3)), await configs.exists(kept(2))]).toEqual([true, false])
    const again = await gc(app(), wanted)
    expect(again).toMatchObject({ changed: false, containers: [], images: [], files: [], journals: [] })
    expect(renderGc(again, { color: false, check: false })).toBe('nothing to remove')
    expect(locks).toEqual(['gc', 'gc'])
  })

  it('only says it with --check, without the lock', async () => {
    const report = await planGc(app(), wanted)
    expect(report).toMatchObject(garbage)
    expect(await names()).toHaveLength(4)
    expect(locks).toEqual([])
    expect(renderGc(report, { color: false, check: true })).toContain(`would remove image ${tag(2)}\n`)
  })

  it('keeps what runs, whatever it once was, and what is asked for', async () => {
    await docker.startContainer(`calico-node-parked-${run(1)}`)
    const asked = { ...wanted, node: { ...wanted.node, image: tag(2) } }
    const { containers, images } = await gc(app(), asked)
    expect({ containers, images }).toEqual({ containers: [`calico-node-parked-${run(2)}`], images: [] })
    expect(await docker.inspectImage(tag(1))).toBeDefined()
  })

  it('keeps as many images as retention says', async () => {
    expect((await gc(app(), { ...wanted, keepImages: 2 })).images).toEqual([tag(1)])
  })

  it('leaves containers alone where nothing bears the name', async () => {
    await docker.removeContainer('calico-node')
    expect((await gc(app(), wanted)).containers).toEqual([])
    expect(await names()).toHaveLength(3)
  })

  it('removes staged plugins that an upgrade passed over, and keeps those that wait for one', async () => {
    journal(0, [stage(0)], { command: 'prefetch', outcome: 'prefetched' })
    journal(5, [stage(5)], { command: 'prefetch', outcome: 'prefetched' })
    const { files } = await gc(app(), wanted)
    expect(files).toContain(staged(0))
    expect(await configs.exists(staged(5))).toBe(true)
  })

  it('removes journals beyond those that are kept, after what they told of', async () => {
    expect(await planGc(app(1), wanted)).toMatchObject({ journals: [run(2), run(1)] })
    expect(await gc(app(1), wanted)).toMatchObject({ ...garbage, journals: [run(2), run(1)] })
    expect([...texts.keys()]).toEqual([`${run(3)}.jsonl`])
  })

  it('says what it cannot remove', async () => {
    docker.failNext('removeContainer', new Error('busy'))
    const { containers, problems } = await gc(app(), wanted)
    expect(containers).toHaveLength(1)
    expect(problems).toMatchObject([{ code: 'leftover', severity: 'warning' }])
  })

  it.each([
    [null, 'was interrupted'],
    ['stuck', 'is stuck'],
  ] as const)('touches nothing while the newest run is %s', async (outcome, why) => {
    journal(5, [], { outcome })
    journal(6, [], { command: 'prefetch' })
    const refused = { code: 'unsettled-run', message: expect.stringContaining(why) as string, exitCode: 3 }
    await expect(gc(app(), wanted)).rejects.toMatchObject(refused)
    await expect(planGc(app(), wanted)).rejects.toMatchObject(refused)
    expect(await names()).toHaveLength(4)
  })
})
