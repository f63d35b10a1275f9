import { execFileSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { tryInPlace } from '../../../agent/adapters/cni-binaries/in-place.ts'
import { failureOf } from '../docker/agent-error.ts'
import { foreignProgram, pluginBytes, signal, temporaryDirectory, write } from './plugins.ts'

const tried = (path: string) => tryInPlace(path, ['calico'], signal)

describe('plugins that are tried where they lie', () => {
  it('tell the versions that they know', async () => {
    const path = await temporaryDirectory()
    await write(join(path, 'calico'), await pluginBytes())
    const [plugin] = await tried(path)
    expect(plugin).toMatchObject({ name: 'calico', known: expect.arrayContaining(['0.3.1']) as unknown })
  })

  it.each<[string, () => Promise<Buffer | string>, number]>([
    ['cni-binary-does-not-start', () => readFile('/bin/true'), 0o755],
    ['cni-binary-wrong-architecture', () => Promise.resolve(foreignProgram()), 0o755],
    ['cni-binary-invalid', () => Promise.resolve('#!/bin/sh\n'), 0o755],
    ['cni-binary-invalid', () => pluginBytes(), 0o644],
  ])('are refused: %s', async (code, content, mode) => {
    const path = await temporaryDirectory()
    await write(join(path, 'calico'), await content(), mode)
    expect((await failureOf(tried(path))).code).toBe(code)
  })

  it('say nothing where the file system runs no program', async () => {
    const path = await temporaryDirectory()
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'noexec', 'tmpfs', path])
    try {
      await write(join(path, 'calico'), await pluginBytes())
      expect(await tried(path)).toEqual([{ name: 'calico', known: null }])
    } finally {
      execFileSync('umount', [path])
    }
  })
})
