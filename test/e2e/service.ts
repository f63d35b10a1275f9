import { readFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import { type Host, until } from '../lab/index.ts'

const UNIT = 'calico-agent.service'
const CONFIG = '/etc/calico-agent/agent.yaml'

/** As a package does, which has its program in /usr/bin. */
export async function installService(host: Host): Promise<void> {
  const unit = await readFile(join(import.meta.dirname, '../../systemd', UNIT), 'utf8')
  await host.ok(['ln', '-sf', '/opt/calico-agent/agent', '/usr/bin/calico-agent'])
  await host.writeFile(`/etc/systemd/system/${UNIT}`, unit)
  await host.ok(['systemctl', 'daemon-reload'])
}

/** Installs the unit, and starts it; `dropIn` is laid over it. */
export async function startService(host: Host, dropIn = ''): Promise<void> {
  await installService(host)
  if (dropIn !== '') await host.writeFile(`/etc/systemd/system/${UNIT}.d/test.conf`, dropIn)
  await host.ok(['systemctl', 'daemon-reload'])
  await host.run(['systemctl', 'reset-failed', UNIT])
  // Other tests' lines are not this one's.
  await host.ok(['journalctl', '--rotate', '--vacuum-time=1s', '--quiet'])
  await host.ok(['systemctl', 'enable', '--now', '--quiet', UNIT])
}

const METRICS_UNIT = 'calico-agent-metrics.service'
const TEXTFILES = '/var/lib/prometheus/node-exporter'

/** What the timer's service writes, once it was started; everyone can read it. */
export async function textfile(host: Host): Promise<string> {
  const unit = await readFile(join(import.meta.dirname, '../../systemd', METRICS_UNIT), 'utf8')
  await host.ok(['mkdir', '-p', TEXTFILES])
  await host.writeFile(`/etc/systemd/system/${METRICS_UNIT}`, unit)
  await host.ok(['systemctl', 'daemon-reload'])
  await host.ok(['systemctl', 'start', METRICS_UNIT])
  const there = await host.ok(['find', TEXTFILES, '-type', 'f', '-printf', '%f %m '])
  if (there !== 'calico-agent.prom 644 ') throw new Error(`the unit left ${there}`)
  return await host.readFile(`${TEXTFILES}/calico-agent.prom`)
}

export async function systemctl(host: Host, ...args: string[]): Promise<string> {
  return await host.ok(['systemctl', ...args, UNIT])
}

export async function property(host: Host, name: string): Promise<string> {
  return (await systemctl(host, 'show', '--value', `--property=${name}`)).trim()
}

/** The service's messages of this severity and worse. */
export async function logged(host: Host, priority: string): Promise<string[]> {
  const argv = ['journalctl', '--output=cat', '--identifier=calico-agent', `--priority=${priority}`]
  return (await host.ok(argv)).split('\n').filter(Boolean)
}

/** Puts a config in place of the other, as config management does. */
export async function replaceConfig(host: Host, config: object | string): Promise<void> {
  const text = typeof config === 'string' ? config : JSON.stringify(config)
  await host.writeFile(`${CONFIG}.new`, text, 0o600)
  await host.ok(['mv', `${CONFIG}.new`, CONFIG])
}

/** A config whose run need not show how long the defaults are. */
export function quick(image: string): object {
  return { node: { image }, window: 60, settle: 2, apply: 'auto' }
}

/** What the service says at its socket. */
export function ask(host: Host, path: '/metrics' | '/status' | '/healthz'): Promise<string> {
  return new Promise((resolve, reject) => {
    const socketPath = `${host.root}/run/calico-agent/agent.sock`
    request({ socketPath, path, timeout: 20_000 }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('end', () => {
        resolve(text)
      })
    })
      .on('error', reject)
      .end()
  })
}

interface ServiceStatus {
  service: { state: string; run: string | null; lastReport: { outcome: string; run: string | null } | null }
}

/** Waits until /status is like this. */
export async function untilService(host: Host, state: string, outcome?: string): Promise<void> {
  let seen = ''
  const is = async (): Promise<boolean> => {
    const { service } = JSON.parse(await ask(host, '/status')) as ServiceStatus
    seen = `${service.state}, ${service.lastReport?.outcome ?? 'no report'}`
    return service.state === state && (outcome === undefined || service.lastReport?.outcome === outcome)
  }
  const what = `the service to be ${state}, ${outcome ?? 'whatever its report'}`
  await until(what, is, { everyMs: 200 }).catch(async (cause: unknown) => {
    const log = (await logged(host, 'debug')).slice(-30).join('\n')
    throw new Error(`${what}: it is ${seen}\n${log}`, { cause })
  })
}

/** Names of the journals. */
export async function runs(host: Host): Promise<string[]> {
  const { stdout } = await host.run(['ls', '/var/lib/calico-agent/runs'])
  return stdout.split('\n').filter(Boolean)
}
