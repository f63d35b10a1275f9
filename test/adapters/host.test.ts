import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createHost } from '../../agent/adapters/host.ts'

describe('programVersion', () => {
  let dir: string

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'host-'))
  })

  afterAll(async () => {
    await rm(dir, { recursive: true })
  })

  it.each([
    ['prints it', '[ "$1" = -v ] && echo v1.11.2', 'v1.11.2'],
    ['fails', 'echo v1.11.2; exit 1', null],
    ['waits for its stdin', 'cat; echo v1.11.2', 'v1.11.2'],
    ['hangs', 'exec sleep 60', null],
  ])('of a program that %s', async (_, script, version) => {
    const path = join(dir, 'calico')
    await writeFile(path, `#!/bin/sh\n${script}\n`)
    await chmod(path, 0o755)
    const started = performance.now()
    expect(await createHost().programVersion(path)).toBe(version)
    expect(performance.now() - started).toBeLessThan(4_000)
  })

  it('of a program that is not there, or none', async () => {
    await writeFile(join(dir, 'text'), 'v1.11.2\n')
    expect(await createHost().programVersion(join(dir, 'nowhere'))).toBeNull()
    expect(await createHost().programVersion(join(dir, 'text'))).toBeNull()
    expect(await createHost().programVersion(dir)).toBeNull()
  })
})
