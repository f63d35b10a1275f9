// The agent as an image, built by the Dockerfile on a host, and run there with the command that it gives.

import { readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import { baseRootTar } from '../lab/index.ts'
import { bring } from './packages.ts'
import {
  configure,
  containers,
  costOf,
  expectNoCost,
  image,
  parseReport,
  program,
  type World,
  world,
} from './support.ts'
import { UPGRADED } from './under-way.ts'

const root = resolve(import.meta.dirname, '../..')
const base = 'lab/debian:base'

let at: World
let command: string[]

beforeAll(async () => {
  at = await world()
  command = runCommand(await readFile(join(root, 'Dockerfile'), 'utf8'))
  await onStdin(await baseRootTar(), `docker import - ${base}`)
  const context = join(tmpdir(), `calico-agent-context-${process.pid}.tar`)
  const parts = ['Dockerfile', '.dockerignore', 'dist/agent']
  await program(['tar', '--create', `--file=${context}`, `--directory=${root}`, ...parts], process.env)
  const args = `--network=none --build-arg BASE=${base} --build-arg AGENT=prebuilt --tag calico-host-agent`
  await onStdin(context, `DOCKER_BUILDKIT=1 docker build ${args} -`)
  await rm(context)
})

/** The host's shell with a file as its input. */
async function onStdin(file: string, line: string): Promise<void> {
  const path = await bring(at.host, file)
  await at.host.ok(['sh', '-c', `${line} <"$0" && rm "$0"`, path])
}

/** `docker run ... calico-host-agent` out of the comment of the Dockerfile. */
function runCommand(dockerfile: string): string[] {
  const text = dockerfile.replaceAll(/\\\n# +/g, '')
  const [, found = ''] = /^# +(docker run .* calico-host-agent) status$/m.exec(text) ?? []
  expect(found).not.toBe('')
  return found.split(' ')
}

it('tells what runs on its host', async () => {
  const { host, peer } = at
  const status = await host.ok([...command, 'status'])
  expect(status).toContain(image('v2.6.5'))
  expect(status).toMatch(new RegExp(`${peer.address} +\\d+ routes? +Established`))
})

it('upgrades its host, without a packet lost or a route withdrawn', async () => {
  const { host } = at
  await configure(host, { node: { image: image('v2.6.12') }, settle: 2 })
  const cost = await costOf(at, () => host.run([...command, 'upgrade', '--json']))
  expectNoCost(cost)
  const { code, stdout, stderr } = cost.result
  expect({ code, ...parseReport(stdout, stderr) }).toMatchObject({
    code: 0,
    outcome: 'upgraded',
    problems: [],
  })
  expect(await containers(host)).toEqual(UPGRADED)
  expect(await host.ok([...command, 'status'])).toMatch(/last run +\S+.*: upgraded/)
})
