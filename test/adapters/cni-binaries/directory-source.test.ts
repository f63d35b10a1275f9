import { execFileSync } from 'node:child_process'
import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { directorySource } from '../../../agent/adapters/cni-binaries/directory-source.ts'
import { failureOf } from '../docker/agent-error.ts'
import { signal, temporaryDirectory, write } from './plugins.ts'

async function read(path: string, names: string[]) {
  const found: Record<string, string> = {}
  const take = async ({ name, content }: { name: string; content: AsyncIterable<Uint8Array> }) => {
    const chunks: Uint8Array[] = []
    for await (const chunk of content) chunks.push(chunk)
    found[name] = Buffer.concat(chunks).toString()
  }
  await directorySource(path)(names, take, signal)
  return found
}

describe('directorySource', () => {
  it('reads what is asked for, through a link to the directory and links inside it', async () => {
    const path = await temporaryDirectory()
    await mkdir(join(path, 'real'))
    await write(join(path, 'real/calico-v2'), 'one')
    await symlink('calico-v2', join(path, 'real/calico'))
    await symlink('real', join(path, 'bin'))
    expect(await read(join(path, 'bin'), ['calico'])).toEqual({ calico: 'one' })
  })

  it('lists what there is where one is missing', async () => {
    const path = await temporaryDirectory()
    await write(join(path, 'portmap'), '')
    const error = await failureOf(read(path, ['portmap', 'calico']))
    expect(error.message).toBe(`cannot use calico: ${path} does not contain it; it contains portmap`)
    expect(error.fix).toContain('cni.binaries')
  })

  it('refuses a link out of it', async () => {
    const path = await temporaryDirectory()
    await symlink('/bin/true', join(path, 'calico'))
    expect((await failureOf(read(path, ['calico']))).code).toBe('cni-source-hostile')
  })

  it('does not wait for a FIFO', async () => {
    const path = await temporaryDirectory()
    execFileSync('mkfifo', [join(path, 'calico')])
    expect((await failureOf(read(path, ['calico']))).message).toContain('it is not a regular file')
  })

  it('says that it is not there', async () => {
    const error = await failureOf(read('/no/such', ['calico']))
    expect(error.message).toBe('cannot read /no/such: no such file or directory')
  })
})
