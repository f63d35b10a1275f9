// ./scripts/lab: the lab from a terminal. The script has checked the arguments.

import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { bootLab, healthyHosts } from './boot.ts'
import type { Host } from './host.ts'
import { enter } from './host-run.ts'
import { buildKubernetes } from './kubernetes/program.ts'
import { attachLab, type Lab } from './lab.ts'
import { progress } from './progress.ts'
import { buildAnsibleLint } from './python/ansible-lint.ts'
import { downLab } from './remove.ts'
import { buildSalt } from './salt/programs.ts'

async function main(argv: readonly string[]): Promise<number> {
  const [command = '', ...rest] = argv
  switch (command) {
    case 'up':
      return await up(rest)
    case 'status':
      return await status()
    case 'build-kubernetes':
      process.stdout.write(`${await buildKubernetes()}\n`)
      return 0
    case 'build-python':
      process.stdout.write(`${await buildSalt()}\n${await buildAnsibleLint()}\n`)
      return 0
    case 'kubectl':
      return await kubectl(rest)
    case 'shell':
      return await onHost(rest[0], ['bash', '--login'])
    case 'run':
      return await onHost(rest[0], rest.slice(1))
    case 'down':
      await progress('removing the lab', downLab)
      return 0
    default:
      throw new Error(`internal error: no such command: ${command}`)
  }
}

async function up(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: { hosts: { type: 'string', default: '2' }, kubernetes: { type: 'boolean', default: false } },
  })
  const lab = await bootLab({ hosts: Number(values.hosts) })
  if (values.kubernetes) await upKubernetes(lab)
  return await status()
}

/** Every host is a node then, with a hosted Calico. */
async function upKubernetes(lab: Lab): Promise<void> {
  const kubernetes = lab.kubernetes()
  await progress('starting Kubernetes', () => kubernetes.start())
  const ready = await kubernetes.readyNodes()
  if (lab.hosts.every(({ name }) => ready.includes(name))) return
  await progress('joining the hosts', () => kubernetes.resetHosted(lab.mesh(lab.hosts)))
}

async function status(): Promise<number> {
  if ((await healthyHosts()) === 0) {
    process.stdout.write('no lab is running, or a part of it is broken: ./scripts/lab up\n')
    return 1
  }
  const lab = await attachLab()
  for (const host of lab.hosts)
    process.stdout.write(`${host.name} ${host.address} pod ${host.pod} ${await nodeLine(host)}\n`)
  await statusOfKubernetes(lab)
  return 0
}

async function statusOfKubernetes(lab: Lab): Promise<void> {
  const kubernetes = lab.kubernetes()
  if (!(await kubernetes.alive())) return
  process.stdout.write(`Kubernetes at ${kubernetes.server}\n${await kubernetes.kubectl(['get', 'nodes'])}`)
}

async function nodeLine(host: Host): Promise<string> {
  const node = (await host.docker.listContainers()).find(
    ({ Names, Labels }) =>
      Names.includes('/calico-node') || Labels['io.kubernetes.container.name'] === 'calico-node',
  )
  if (!node) return 'no calico-node'
  const protocols = await host.birdc('show protocols').catch(() => [])
  const established = protocols.filter((line) => line.includes('Established')).length
  const total = protocols.filter((line) => line.includes(' BGP ')).length
  const { RepoTags } = await host.docker.getImage(node.ImageID).inspect()
  return `${RepoTags[0] ?? node.Image}, ${established} of ${total} sessions Established`
}

async function onHost(name: string | undefined, argv: readonly string[]): Promise<number> {
  if (name === undefined || argv.length === 0) throw new Error('cannot run: name a host and a program')
  return run([...enter((await attachLab()).host(name).pid), ...argv])
}

async function kubectl(args: readonly string[]): Promise<number> {
  const kubernetes = (await attachLab()).kubernetes()
  if (await kubernetes.alive()) return run(kubernetes.kubectlArgs(args))
  throw new Error('cannot reach Kubernetes: run ./scripts/lab up --kubernetes')
}

function run([program = '', ...args]: readonly string[]): number {
  const env = {
    ...process.env,
    PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: '/root',
  }
  return spawnSync(program, args, { stdio: 'inherit', env }).status ?? 1
}

// A reader such as head may leave early.
process.stdout.on('error', () => process.exit(0))

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
