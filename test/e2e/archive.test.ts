// The archive for hosts without apt, under real systemd: its ./install installs, upgrades and removes.

import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Host, until } from '../lab/index.ts'
import { bring, buildPackages, type Packages, packaged } from './packages.ts'
import * as support from './support.ts'

const config = '/etc/calico-agent/agent.yaml'
const [service, resumeUnit] = ['calico-agent.service', 'calico-agent-resume.service']

let packages: Packages
let host: Host
beforeAll(async () => {
  packages = await buildPackages()
  host = (await support.world()).host
})
afterAll(async () => {
  await host.run(['sh', '-c', 'rm -rf /var/lib/calico-agent /etc/calico-agent'])
  await packages.remove()
})

const ok = (...argv: string[]): Promise<string> => host.ok(argv, packaged)
const said = async (...argv: string[]): Promise<string> => (await host.run(argv, packaged)).stdout.trim()
const servicePid = (): Promise<string> => said('systemctl', 'show', '--value', '--property=MainPID', service)

it('installs, restarts a service that runs the old program, and takes itself away again', async () => {
  const archive = await bring(host, packages.archive)
  await ok('tar', '--extract', '--file', archive, '--directory', '/root', '--strip-components=1')
  const install = (...argv: string[]): Promise<string> =>
    host.ok(['/root/install', ...argv], { env: { ...packaged.env, PREFIX: '/usr' } })
  expect(await install()).toContain(`systemctl enable --now ${resumeUnit}`)
  await host.writeFile(config, 'window: 45 # ours\n')
  await install()
  expect(await host.readFile(config)).toBe('window: 45 # ours\n')
  expect(await ok('agent', '--version')).toBe(await ok('calico-agent', '--version'))
  await ok('systemctl', 'enable', '--now', '--quiet', resumeUnit, service)
  const before = await servicePid()
  await install()
  const restarted = async (): Promise<boolean> => !['0', before].includes(await servicePid())
  await until('the service to run the new program', restarted)
  expect(await install('--uninstall')).toContain('these stay')
  expect(await said('find', '/usr/bin', '/usr/lib/systemd', '/etc/systemd', '-name', '*calico*')).toBe('')
  await ok('rm', '-rf', archive, '/root/install', '/root/package')
})
