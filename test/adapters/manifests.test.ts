import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createManifests } from '../../agent/adapters/manifests/manifests.ts'
import { manifestsContract } from '../contract/manifests-contract.ts'
import { FakeManifests } from '../fakes/manifests.ts'

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'calico-agent-manifests-'))
})

afterEach(async () => {
  await rm(directory, { recursive: true })
})

const manifests = createManifests()

manifestsContract('the real ones', () =>
  Promise.resolve({ manifests, directory, names: async () => (await readdir(directory)).sort() }),
)

manifestsContract('the fake ones', () => {
  const fake = new FakeManifests()
  const names = () => Promise.resolve([...fake.files.keys()].map((path) => path.replace(/.*\//, '')).sort())
  return Promise.resolve({ manifests: fake, directory: '/manifests', names })
})

describe('the files that the kubelet reads', () => {
  it('are those that do not begin with a dot, links and other endings among them', async () => {
    await writeFile(join(directory, 'a.yaml.bak'), 'kind: Pod\n')
    await writeFile(join(directory, '.b.yaml'), '')
    await writeFile(join(directory, 'c.yaml'), Buffer.from([0xff, 0xfe]))
    await mkdir(join(directory, 'd'))
    await symlink('a.yaml.bak', join(directory, 'e.yaml'))
    const found = (await manifests.list(directory)).sort((one, other) => one.path.localeCompare(other.path))
    expect(found.map(({ path, isLink }) => [path.slice(directory.length + 1), isLink])).toEqual([
      ['a.yaml.bak', false],
      ['c.yaml', false],
      ['e.yaml', true],
    ])
    expect(found[1]?.pod).toEqual({ unreadable: expect.stringContaining('not UTF-8') as string })
  })
})
