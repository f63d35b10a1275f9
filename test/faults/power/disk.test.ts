import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { libraryOf } from '../files/libraries.ts'
import { Operations } from '../files/operations.ts'
import { makeDisk } from './disk.ts'
import { flawsOfDisk } from './trials.ts'

const flaw: unknown = expect.stringContaining('there is journal up to 7, live 6, parked 8')

// The power cuts themselves take minutes; this is how their disks are judged.
it.each([
  ['all that was acknowledged', 8, []],
  ['what was going on as well', 7, []],
  ['less than was acknowledged', 9, [flaw]],
  ['more than was begun', 6, [flaw]],
])('a disk that has %s', async (_, done, flaws) => {
  const dir = await mkdtemp(join(tmpdir(), 'calico-agent-disk-'))
  try {
    const state = join(dir, 'tree/state')
    await mkdir(state, { recursive: true })
    const operations = new Operations(state, await libraryOf('real'))
    for (let n = 1; n <= 8; n++) await operations.do(n)
    await operations.close()
    const disk = join(dir, 'disk')
    await makeDisk(disk, join(dir, 'tree'))
    expect(await flawsOfDisk(disk, done, dir)).toEqual(flaws)
  } finally {
    await rm(dir, { recursive: true })
  }
})
