import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { imageRootOf } from '../../../agent/adapters/docker/image-root.ts'

const DockerRootDir = '/srv/docker'
const containerd = { DockerRootDir, DriverStatus: [['driver-type', 'io.containerd.snapshotter.v1']] }

let directory: string
beforeAll(async () => (directory = await mkdtemp(join(tmpdir(), 'image-root-'))))
afterAll(() => rm(directory, { recursive: true }))

describe('imageRootOf', () => {
  it.each([
    ['a graph driver', { DockerRootDir, DriverStatus: [['Backing Filesystem', 'extfs']] }, DockerRootDir],
    ['an Engine that says nothing', { DockerRootDir, DriverStatus: null }, DockerRootDir],
    ['the image store of containerd', containerd, '/var/lib/containerd'],
    [
      'a containerd that dockerd starts',
      { ...containerd, Containerd: { Address: '/var/run/docker/containerd/containerd.sock' } },
      '/srv/docker/containerd/daemon',
    ],
    [
      'a containerd of the host',
      { ...containerd, Containerd: { Address: '/run/containerd/containerd.sock' } },
      '/var/lib/containerd',
    ],
  ])('of %s', async (_, info, expected) => {
    expect(await imageRootOf(info, join(directory, 'none'))).toBe(expected)
  })

  it.each([
    ['version = 2\nroot = "/data/containerd"\n[plugins]\n', '/data/containerd'],
    ["root='/data/containerd' # big disk\n", '/data/containerd'],
    ['[plugins.x]\nroot = "/else"\n', '/var/lib/containerd'],
    ['#root = "/var/lib/else"\n', '/var/lib/containerd'],
  ])('as its config has it: %j', async (text, expected) => {
    const file = join(directory, 'config.toml')
    await writeFile(file, text)
    expect(await imageRootOf(containerd, file)).toBe(expected)
  })
})
