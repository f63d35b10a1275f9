import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../agent/config/load.ts'
import { run } from './environment.ts'

const files: Record<string, string> = {
  '/etc/calico-agent/agent.yaml': 'node: { image: calico/node:v3.20.0 }',
  'bad.yaml': 'node:\n  imgae: x\nwindow: 5\n',
  'empty.yaml': 'apply: manual',
}

const check = (...args: string[]): Promise<{ text: string; code: number }> =>
  run(['config', 'check', ...args], {
    loadConfig: ({ config = '' }) =>
      loadConfig(config, true, (path) => {
        const text = files[path]
        return Promise.resolve(text === undefined ? undefined : Buffer.from(text))
      }),
  })

describe('calico-agent config check', () => {
  it('says what a valid config asks for', async () => {
    expect(await check()).toEqual({
      text: '/etc/calico-agent/agent.yaml is valid; it asks for calico/node:v3.20.0',
      code: 0,
    })
    expect(await check('empty.yaml')).toMatchObject({
      text: 'empty.yaml is valid; it names nothing to upgrade',
    })
  })

  it('finds every mistake, each with its place', async () => {
    const { text, code } = await check('bad.yaml')
    expect(code).toBe(2)
    expect(text).toContain('bad.yaml:2:3: node.imgae: unknown key; did you mean "image"?')
    expect(text).toContain('bad.yaml:3:9: window: must be at least 10')
    expect(await check('--config', 'bad.yaml')).toEqual({ text, code })
  })

  it('has JSON for both', async () => {
    const json = async (...args: string[]) => JSON.parse((await check(...args, '--json')).text) as unknown
    expect(await json()).toEqual({ schema: 1, valid: true, target: 'calico/node:v3.20.0', problems: [] })
    expect(await json('bad.yaml')).toMatchObject({ valid: false, target: null, problems: [{}, {}] })
  })

  it('refuses a file that is not there', async () => {
    expect(await check('nowhere.yaml')).toMatchObject({
      code: 2,
      text: expect.stringContaining('no such file') as string,
    })
  })
})
