import type { ExecOptions, ExecResult } from '../exec.ts'
import type { Host } from '../host.ts'
import { until } from '../poll.ts'
import { HOST_SALT, installSalt, type SaltVersion, saltEnvironment } from './programs.ts'

interface Minion {
  host: Host
  version: SaltVersion
}

/** A Salt master on the first host, and a minion on each; the directories are Salt's own defaults. */
export class Salt {
  readonly #version: SaltVersion
  readonly #minions: readonly Minion[]
  readonly #host: Host

  /** A master is never older than its minions. */
  constructor(version: SaltVersion, minions: readonly [Minion, ...Minion[]]) {
    this.#version = version
    this.#minions = minions
    this.#host = minions[0].host
  }

  async start(): Promise<void> {
    await installSalt()
    const { address } = this.#host
    const master = {
      interface: address,
      auto_accept: true,
      worker_threads: 3,
      timeout: 60,
      gather_job_timeout: 120,
    }
    await this.#host.writeFile('/etc/salt/master', settings(master))
    await startUnit(this.#host, 'salt-master', this.#version)
    for (const { host, version } of this.#minions) {
      const quick = { acceptance_wait_time: 1, enable_fqdns_grains: false, random_reauth_delay: 1 }
      const minion = { master: address, id: host.name, grains: { calico: true }, ...quick }
      await host.writeFile('/etc/salt/minion', settings(minion))
      await startUnit(host, 'salt-minion', version)
    }
    await until('the minions', () => this.#answer(), { everyMs: 500 })
  }

  /** Runs a program on the master; `salt` and its kin are found there. */
  run(argv: readonly string[], { env, ...options }: ExecOptions = {}): Promise<ExecResult> {
    return this.#host.run(argv, { ...options, env: { ...saltEnvironment(this.#version), ...env } })
  }

  async stop(): Promise<void> {
    for (const { host } of this.#minions) {
      await host.run(['systemctl', 'stop', 'salt-minion', 'salt-master'])
      await host.ok(['rm', '-rf', ...['/etc/salt', '/srv/salt', '/srv/pillar']])
      await host.ok(['rm', '-rf', ...['/var/cache/salt', '/var/log/salt', '/run/salt']])
    }
  }

  async #answer(): Promise<boolean> {
    const { stdout } = await this.run(['salt', '--out=json', '--static', '--timeout=3', '*', 'test.ping'])
    return this.#minions.every(({ host }) => stdout.includes(`"${host.name}": true`))
  }
}

// Salt reads YAML, of which JSON is a part.
const settings = (content: object): string => JSON.stringify({ user: 'root', ...content })

async function startUnit(host: Host, name: string, version: SaltVersion): Promise<void> {
  const env = Object.entries(saltEnvironment(version)).map(([key, value]) => `--setenv=${key}=${value}`)
  const argv = [
    'systemd-run',
    '--collect',
    '--quiet',
    `--unit=${name}`,
    '--property=KillSignal=SIGKILL',
    ...env,
  ]
  await host.ok([...argv, `${HOST_SALT}/${version}/bin/${name}`])
}
