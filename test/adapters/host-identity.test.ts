import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { readHostIdentity } from '../../agent/adapters/host-identity.ts'

it('a host is told by its name, and by its machine-id without showing that', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'identity-'))
  const file = join(directory, 'machine-id')
  try {
    expect(await readHostIdentity(file)).toEqual({ machine: null, name: hostname() })
    await writeFile(file, 'uninitialized\n')
    expect((await readHostIdentity(file)).machine).toBeNull()
    const id = '8ef2a1c84d17416793ef346371fe1034'
    await writeFile(file, `${id}\n`)
    const { machine } = await readHostIdentity(file)
    expect(machine).toMatch(/^[0-9a-f]{32}$/)
    expect(machine).not.toBe(id)
    expect((await readHostIdentity(file)).machine).toBe(machine)
    await writeFile(file, `${id.replace('8', '9')}\n`)
    expect((await readHostIdentity(file)).machine).not.toBe(machine)
  } finally {
    await rm(directory, { recursive: true })
  }
})
