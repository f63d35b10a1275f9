import { describe, expect, it } from 'vitest'
import { loadConfig, mergeFlags, withManifest } from '../../agent/config/load.ts'
import type { ConfigShowReport, Setting } from '../../agent/core/report/config-show.ts'
import { run } from './environment.ts'

const DEFAULT = '/etc/calico-agent/agent.yaml'
const MANIFEST = '/etc/calico-agent/calico.yaml'
const DAEMON_SET = `apiVersion: apps/v1
kind: DaemonSet
metadata: { name: calico-node, namespace: kube-system }
spec: { template: { spec: { containers: [{ name: calico-node, image: calico/node:v3.20.0 }] } } }
`

async function show(text: string | undefined, ...args: string[]): Promise<{ text: string; code: number }> {
  const files = new Map([[MANIFEST, DAEMON_SET], ...(text === undefined ? [] : [[DEFAULT, text] as const])])
  const read = (path: string) => {
    const content = files.get(path)
    return Promise.resolve(content === undefined ? undefined : Buffer.from(content))
  }
  return await run(['config', 'show', ...args], {
    readConfigFile: read,
    loadConfig: async (options) => {
      const { config } = options
      return await withManifest(
        mergeFlags(await loadConfig(config ?? DEFAULT, config !== undefined, read), options),
        read,
      )
    },
  })
}

async function settings(text: string | undefined, ...args: string[]): Promise<Map<string, Setting>> {
  const { settings: all } = JSON.parse((await show(text, '--json', ...args)).text) as ConfigShowReport
  return new Map(all.map((setting) => [setting.key, setting]))
}

const CONFIG = `release: v2.6.12
registry: &mirror registry.example:5000/mirror
releases:
  2.6.12:
    node: registry.example:5000/calico/node:site
node: { container: node-1,
        manager: docker }
cni:
  merge:
    mtu: 1440
    etcd_password: hunter2
    etcd_endpoints: https://root:hunter2@192.0.2.9:2379
window: 60
`
const line = (number: number) => ({ from: 'file', file: DEFAULT, line: number })

describe('calico-agent config show', () => {
  it('names the line of the file, the default, and what fills in an image', async () => {
    const all = await settings(CONFIG)
    for (const [key, value, origin] of [
      ['release', 'v2.6.12', line(1)],
      ['node.image', 'registry.example:5000/calico/node:site', line(5)],
      ['node.container', 'node-1', line(6)],
      ['node.manager', 'docker', line(7)],
      [
        'cni.image',
        'registry.example:5000/mirror/calico/cni:v1.11.8',
        { from: 'release', release: 'v2.6.12' },
      ],
      ['cni.binaries', ['calico', 'calico-ipam'], { from: 'default' }],
      ['window', 60, line(13)],
      ['settle', 10, { from: 'default' }],
    ] as const)
      expect(all.get(key), key).toEqual({ key, value, origin })
    expect(all.has('node.unit')).toBe(false)
    expect(all.has('kubernetes.node')).toBe(false)
  })

  it('names the flags that override the file, and what they bring', async () => {
    const flags = ['--to', 'v3.26.1', '--cni', '/srv/cni', '--window', '30', '--docker-socket', '/run/d.sock']
    const all = await settings(`${CONFIG}kubernetes: {}\n`, ...flags)
    const origin = (key: string) => all.get(key)?.origin
    expect(origin('release')).toEqual({ from: 'flag', flag: '--to' })
    expect(all.get('node.image')).toMatchObject({
      value: 'registry.example:5000/mirror/calico/node:v3.26.1',
      origin: { from: 'release', release: 'v3.26.1' },
    })
    expect(all.get('cni.directory')).toMatchObject({ value: '/srv/cni', origin: { flag: '--cni' } })
    expect(all.has('cni.image')).toBe(false)
    expect(origin('window')).toEqual({ from: 'flag', flag: '--window' })
    expect(origin('docker.socket')).toEqual({ from: 'flag', flag: '--docker-socket' })
    expect(all.get('kubernetes.cordon')).toMatchObject({ value: true, origin: { from: 'default' } })
    expect((await settings(CONFIG, '--node', 'a/b:1')).get('node.image')).toMatchObject({
      value: 'a/b:1',
      origin: { flag: '--node' },
    })
  })

  it('names the manifest that names an image', async () => {
    const all = await settings(`kubernetes: {}\nhosted:\n  manifest: ${MANIFEST}\n`)
    expect(all.get('hosted.manifest')).toMatchObject({ value: MANIFEST, origin: line(3) })
    expect(all.get('node.image')).toEqual({
      key: 'node.image',
      value: 'calico/node:v3.20.0',
      origin: { from: 'manifest', file: MANIFEST },
    })
  })

  it('finds what stands behind an alias', async () => {
    const text = 'node: &here\n  container: calico\ncontrollers: *here\n'
    expect((await settings(text)).get('controllers.container')).toMatchObject({
      value: 'calico',
      origin: line(3),
    })
  })

  it('hides secrets in both forms', async () => {
    for (const args of [[], ['--json']]) {
      const { text } = await show(CONFIG, ...args)
      expect(text).toContain('<redacted>@192.0.2.9:2379')
      expect(text).not.toContain('hunter2')
    }
  })

  it('shows a line for each key', async () => {
    const { text, code } = await show(CONFIG, '--window', '30')
    expect(code).toBe(0)
    const lines = text.split('\n').map((one) => one.split(/ {2,}/))
    expect(lines[0]).toEqual(['KEY', 'VALUE', 'FROM'])
    expect(lines).toContainEqual(['window', '30', '--window'])
    expect(lines).toContainEqual(['release', 'v2.6.12', `${DEFAULT}:1`])
    expect(lines).toContainEqual(['controllers.image', expect.anything(), 'release table, v2.6.12'])
  })

  it('shows flags and defaults where the default file is missing, and refuses another one', async () => {
    expect((await settings(undefined, '--node', 'a/b:1')).get('window')?.origin).toEqual({ from: 'default' })
    expect(await show(undefined, 'nowhere.yaml')).toMatchObject({ code: 2 })
  })

  it.each([
    ['window: 5\n', [], `${DEFAULT}:1:9: window: must be at least 10`],
    [CONFIG, ['--window', '5'], '--window: must be at least 10'],
  ])('refuses %j %j', async (text, args, message) => {
    const shown = await show(text, ...args)
    expect(shown).toEqual({ code: 2, text: expect.stringContaining(message) as string })
    expect(JSON.parse((await show(text, '--json', ...args)).text)).toMatchObject({
      settings: [],
      problems: [{ code: 'bad-config' }],
    })
  })
})
