// docs/getting-started.md, typed from its first line to its last one on a host that has no agent yet.

import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join, matchesGlob } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { root, textOf } from '../docs/markdown.ts'
import { until } from '../lab/index.ts'
import { bring, pack, packaged } from './packages.ts'
import * as support from './support.ts'
import { follow } from './typed-page.ts'

const exec = promisify(execFile)
const config = '/etc/calico-agent/agent.yaml'

let at: support.World
let directory: string
let deb: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'calico-agent-started-'))
  const [built = ''] = await pack(directory, ['--format', 'deb'])
  deb = built
  at = await support.world()
})
afterAll(async () => {
  await at.host.run(['dpkg', '--purge', 'calico-agent'])
  await rm(directory, { recursive: true })
})

/** On the host, by a root who confirms what apt asks. */
async function typeOnHost(line: string): Promise<string> {
  const { code, stdout, stderr } = await at.host.run(['bash', '-c', `cd; ${line}`], {
    ...packaged,
    input: 'y\n',
  })
  expect(code, `${line}\n${stdout}\n${stderr}`).toBe(0)
  return stdout
}

/** On the machine of Prometheus, which is where the peer is. */
async function typeElsewhere(line: string): Promise<string> {
  let said = ''
  const answers = async (): Promise<boolean> => {
    const asked = exec('nsenter', [`--net=/proc/${at.peer.pid}/ns/net`, 'bash', '-c', line])
    said = await asked.then(({ stdout }) => stdout).catch(() => '')
    return said !== ''
  }
  await until(line, answers, { everyMs: 500 })
  return said
}

/** What happens on the machine that builds, apart from the build: the package is made of dist/agent, as it is. */
const building: [RegExp, (...words: string[]) => Promise<unknown>][] = [
  [/^git clone URL (\S+)$/, (name = '') => Promise.resolve(name)],
  [/^cd calico-host-agent$/, () => Promise.resolve()],
  [/^(\.\/scripts\/\S+)$/, (script = '') => exec(join(root, script), ['--help'])],
  [
    /^scp dist\/(\S+) root@(\S+):$/,
    async (pattern = '', address) => {
      expect({ address, isBuilt: matchesGlob(basename(deb), pattern) }).toEqual({
        address: at.host.address,
        isBuilt: true,
      })
      await bring(at.host, deb)
    },
  ],
]

async function type(line: string): Promise<string> {
  for (const [form, does] of building) {
    const words = form.exec(line)
    if (words) return String(await does(...words.slice(1)))
  }
  return await (line.startsWith('curl ') ? typeElsewhere(line) : typeOnHost(line))
}

/** Uncomments each key of the delivered config that the page shows, and gives it the page's value. */
async function edit(yaml: string): Promise<void> {
  const lines = (await at.host.readFile(config)).split('\n')
  let from = 0
  for (const line of yaml.trimEnd().split('\n')) {
    const key = line.slice(0, line.indexOf(':') + 1)
    const found = lines.findIndex((there, i) => i >= from && there.replace(/^#/, '').startsWith(key))
    expect(found, `${config} has no ${key} to uncomment`).toBeGreaterThanOrEqual(0)
    lines[found] = line
    from = found + 1
  }
  await at.host.writeFile(config, lines.join('\n'))
}

it('takes a newcomer to an upgraded host, and back, by typing what stands there', async () => {
  const names = {
    'quay.io/calico/node': support.image('v2.6.12').replace(/:[^:]*$/, ''),
    '192.0.2.11': at.host.address,
    '192.0.2.12': at.peer.address,
    Mesh_192_0_2_12: `Mesh_${at.peer.address.replaceAll('.', '_')}`,
  }
  const cost = await support.costOf(at, () =>
    follow(textOf('docs/getting-started.md'), { names, type, edit }),
  )
  support.expectNoCost(cost)
  expect(await support.containers(at.host)).toEqual([
    'calico-node v2.6.5 running always',
    'calico-node-parked-RUN v2.6.12 exited no',
  ])
  expect(await at.host.exists('/var/lib/calico-agent')).toBe(false)
})
