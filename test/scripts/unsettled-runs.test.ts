// What the package's scripts read in the journals, without an agent.

import { execFileSync, spawnSync } from 'node:child_process'
import { appendFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Plan } from '../../agent/core/plan/plan.ts'
import type { Outcome } from '../../agent/core/report/report.ts'
import type { JournalEntry } from '../../agent/journal/record.ts'
import { root } from '../docs/markdown.ts'
import { plan, recordsOf, textOf } from '../journal/sample.ts'

let state: string
beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), 'state-'))
  await mkdir(join(state, 'runs'))
})
afterEach(() => rm(state, { recursive: true }))

const journal = (run: string): string => join(state, 'runs', `${run}.jsonl`)

async function write(
  run: string,
  order: number,
  outcome: Outcome | null,
  command?: Plan['command'],
  later: JournalEntry[] = [],
) {
  const entries: JournalEntry[] = [
    { type: 'run', order, agent: '1.0', plan: plan(run, command), problems: [] },
    { type: 'doing', step: 0 },
    ...(outcome === null ? [] : [{ type: 'finished', outcome } as const]),
    ...later,
  ]
  await writeFile(journal(run), textOf(recordsOf(entries)))
}

const sh = (script: string) =>
  spawnSync('sh', ['-e', '-c', `. ${root}/scripts/packaging/runs.sh; ${script}`, 'sh', state], {
    encoding: 'utf8',
  })
const unsettled = (): string[] => sh('unsettled_runs "$1"').stdout.split('\n').filter(Boolean)

describe('the runs that need their journals', () => {
  it('are none where none ever was, or all were settled', async () => {
    expect(unsettled()).toEqual([])
    await write('a', 1, 'upgraded')
    await write('b', 2, 'rolled-back')
    expect(unsettled()).toEqual([])
  })

  it('are those that were interrupted, also in the middle of their last record', async () => {
    await write('a', 1, 'upgraded')
    await write('b', 2, null)
    expect(unsettled()).toEqual(['interrupted b'])
    await appendFile(journal('b'), '0badcafe {"v":1,"type":"finished","outcome":"upgraded"}')
    expect(unsettled()).toEqual(['interrupted b'])
  })

  it('are not those of which more is known after their end', async () => {
    await write('a', 1, 'upgraded', 'upgrade', [{ type: 'uncordoned' }])
    expect(unsettled()).toEqual([])
    await write('b', 2, 'stuck', 'upgrade', [{ type: 'uncordoned' }])
    expect(unsettled()).toEqual(['stuck b'])
    await write('b', 2, 'stuck', 'upgrade', [{ type: 'uncordoned' }, { type: 'settled' }])
    expect(unsettled()).toEqual([])
  })

  it('are not those that never began', async () => {
    await writeFile(journal('a'), '')
    await writeFile(journal('b'), '0badcafe {"v":1,"type":"ru')
    expect(unsettled()).toEqual([])
  })

  it('are a stuck one, until a later run took its place; a prefetch does not', async () => {
    await write('b', 7, 'stuck')
    await write('c', 8, 'prefetched', 'prefetch')
    // cut off in its pull: nothing that runs was changed
    await write('e', 9, null, 'prefetch')
    await write('d', 6, 'upgraded')
    expect(unsettled()).toEqual(['stuck b'])
    await write('a', 12, 'upgraded')
    expect(unsettled()).toEqual([])
  })
})

describe('a removal', () => {
  const remove = () => sh('refuse_unsettled "$1" calico-agent; echo removed')

  it('is refused while a run waits for its resume, with the way out', async () => {
    await write('b', 2, null)
    const { status, stdout, stderr } = remove()
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toContain('cannot remove calico-agent: run b was interrupted')
    expect(stderr).toContain('calico-agent resume')
  })

  it('is told of a stuck run, and goes on', async () => {
    await write('b', 2, 'stuck')
    const { status, stdout, stderr } = remove()
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'removed\n' })
    expect(stderr).toContain(`run b is stuck: its journal ${journal('b')} stays`)
  })

  it('is refused under the feet of an agent', async () => {
    await writeFile(join(state, 'lock'), 'pid 7, calico-agent upgrade\n')
    const script = `. ${root}/scripts/packaging/runs.sh; ! refuse_unsettled ${state} calico-agent`
    execFileSync('flock', [join(state, 'lock'), 'sh', '-c', script], { stdio: 'pipe' })
    expect(remove().status).toBe(0)
  })
})
