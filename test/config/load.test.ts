import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readRegularFile } from '../../agent/adapters/read-file.ts'

import { loadConfig, MAX_CONFIG_BYTES, mergeFlags } from '../../agent/config/load.ts'

import { configSchema } from '../../agent/config/schema.ts'

const image = 'quay.io/calico/node:v2.6.12'
const read = (path: string) => readRegularFile(path, { maxBytes: MAX_CONFIG_BYTES })
const badConfig = { code: 'bad-config', exitCode: 2 }

let dir: string
let file: string

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'config-'))
  file = join(dir, 'agent.yaml')
})

afterEach(async () => {
  await rm(dir, { recursive: true })
})

describe('loadConfig', () => {
  it('reads the file', async () => {
    await writeFile(file, `node: { image: ${image} }\n`)
    expect((await loadConfig(file, false, read)).node.image).toBe(image)
  })

  it('does without the file unless it was named', async () => {
    expect(await loadConfig(file, false, read)).toEqual(configSchema.parse({}))
    await expect(loadConfig(file, true, read)).rejects.toMatchObject({
      ...badConfig,
      message: `cannot read the config ${file}: no such file`,
    })
  })

  it('refuses a FIFO, a directory and a file that is too large', async () => {
    execFileSync('mkfifo', [file])
    await expect(loadConfig(file, false, read)).rejects.toMatchObject(badConfig)
    await expect(loadConfig(dir, false, read)).rejects.toThrow(/not a regular file/)
    await writeFile(join(dir, 'large'), Buffer.alloc(MAX_CONFIG_BYTES + 1, '#'))
    await expect(loadConfig(join(dir, 'large'), false, read)).rejects.toThrow(/larger than 32768 bytes/)
  })

  it('names the file in each problem', async () => {
    await writeFile(file, 'window: 5\nsettle: 601\n')
    await expect(loadConfig(file, true, read)).rejects.toMatchObject({
      problems: [
        { message: expect.stringMatching(`^${file}:1:9: window`) as string },
        { message: expect.stringMatching(`^${file}:2:9`) as string },
      ],
    })
  })
})

describe('mergeFlags', () => {
  const config = configSchema.parse({ node: { image }, window: 60 })

  it('lets flags win and keeps the rest', () => {
    expect(mergeFlags(config, {})).toEqual(config)
    expect(
      mergeFlags(config, { node: 'calico/node:v3.0.1', window: 30, dockerSocket: '/run/d.sock' }),
    ).toEqual({
      ...config,
      node: { ...config.node, image: 'calico/node:v3.0.1' },
      window: 30,
      docker: { socket: '/run/d.sock' },
    })
  })

  it.each([
    ['quay.io/calico/cni:v1.11.8', { image: 'quay.io/calico/cni:v1.11.8' }],
    ['/srv/cni', { directory: '/srv/cni' }],
    ['/srv/cni.tar', { archive: '/srv/cni.tar' }],
    ['/srv/cni.tar.gz', { archive: '/srv/cni.tar.gz' }],
    ['/srv/cni.tgz', { archive: '/srv/cni.tgz' }],
  ])('takes --cni %s for what it is, in place of any other source', (cni, source) => {
    const other = configSchema.parse({ cni: { directory: '/elsewhere' } })
    const { image: ref, directory, archive } = mergeFlags(other, { cni }).cni
    expect({ image: ref, directory, archive }).toEqual({
      image: undefined,
      directory: undefined,
      archive: undefined,
      ...source,
    })
  })

  it('names all flags that are wrong', () => {
    expect(() => mergeFlags(config, { node: 'a b', window: NaN, dockerSocket: 'd.sock' })).toThrow(
      expect.objectContaining({
        exitCode: 2,
        problems: [
          { message: expect.stringMatching(/^--node: cannot use "a b" as an image/) as string },
          { message: expect.stringMatching(/^--window: expected a whole number/) as string },
          { message: expect.stringMatching(/^--docker-socket: must be an absolute path/) as string },
        ].map((problem) => expect.objectContaining(problem) as unknown),
      }),
    )
  })
})
