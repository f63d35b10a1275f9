import { readlink, writeFile } from 'node:fs/promises'
import { ensureDir, remove } from 'fs-extra/esm'
import { asNumber } from './addresses.ts'
import { type Child, execOk, launch } from './exec.ts'
import type { Host } from './host.ts'
import { plugIn, unplug } from './net.ts'
import { labPath } from './paths.ts'
import { until } from './poll.ts'

const NAME = 'many-peers'
/** On the hosts' wire, beside their own network. Below it as text, so that it is the host that dials: see render-bird. */
const PEERS = '100.64.0.0'
const PREFIX = 20
const HOST_ADDRESS = `100.64.15.254/${PREFIX}`
const OWN_ADDRESS = '192.0.2.240'
/** Their routes are out of the range for benchmarks (RFC 2544). */
const ROUTES = '198.18.0.0'

/** One BIRD for each config, once a line says that the wire is there; all die with the shell, the first of its pids. */
const START = 'read -r _; for c in "$0"/*.conf; do bird -f -s "$c.ctl" -P "$c.pid" -c "$c" & done; wait'

/** BGP peers of one host, as many as a large mesh has: a BIRD and an address for each. */
export class ManyPeers {
  readonly addresses: readonly string[]
  readonly #host: Host
  readonly #birds: Child

  private constructor(host: Host, addresses: readonly string[], birds: Child) {
    this.#host = host
    this.addresses = addresses
    this.#birds = birds
  }

  static async start(host: Host, count: number, routesEach: number): Promise<ManyPeers> {
    const addresses = Array.from({ length: count }, (_, i) => addressIn(PEERS, i + 1))
    const dir = labPath(NAME)
    await ensureDir(dir)
    for (const [i, address] of addresses.entries()) {
      const routes = Array.from({ length: routesEach }, (_, n) => addressIn(ROUTES, i * routesEach + n))
      await writeFile(`${dir}/${i}.conf`, configOf(host.address, address, routes))
    }
    const apart = ['unshare', '--net', '--pid', '--fork', '--kill-child']
    const many = new ManyPeers(host, addresses, launch([...apart, 'sh', '-c', START, dir]))
    try {
      await many.#plugIn()
    } catch (error) {
      await many.stop()
      throw error
    }
    return many
  }

  async #plugIn(): Promise<void> {
    const { pid } = this.#birds
    if (pid === undefined) throw new Error('cannot start many peers')
    const own = await readlink('/proc/self/ns/net')
    const isApart = async (): Promise<boolean> => (await readlink(`/proc/${pid}/ns/net`)) !== own
    await until('a network of its own', isApart)
    await plugIn(NAME, OWN_ADDRESS, pid)
    const input = this.addresses.map((address) => `address add ${address}/${PREFIX} dev eth0\n`).join('')
    await execOk(['nsenter', `--net=/proc/${pid}/ns/net`, 'ip', '-batch', '-'], { input })
    await this.#host.ok(['ip', 'address', 'replace', HOST_ADDRESS, 'dev', 'eth0'])
    this.#birds.stdin.end('\n')
  }

  /** Ends them without a word to the host. */
  async stop(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>()
    this.#birds.once('exit', () => {
      resolve(undefined)
    })
    if (this.#birds.exitCode === null && this.#birds.kill('SIGKILL')) await promise
    await unplug(NAME)
    await this.#host.run(['ip', 'address', 'del', HOST_ADDRESS, 'dev', 'eth0'])
    await remove(labPath(NAME))
  }
}

function configOf(neighbor: string, address: string, routes: readonly string[]): string {
  return `router id ${address};
listen bgp address ${address};
protocol device { scan time 3600; }
protocol static { ${routes.map((route) => `route ${route}/32 blackhole;`).join(' ')} }
protocol bgp host {
  local ${address} as ${asNumber};
  neighbor ${neighbor} as ${asNumber};
  multihop;
  passive on;
  import none;
  export all;
  next hop self;
  graceful restart;
}
`
}

/** The n-th address from `first` on, whose last byte is zero. */
function addressIn(first: string, n: number): string {
  const [a, b, c] = first.split('.').map(Number) as [number, number, number]
  return `${a}.${b}.${c + (n >> 8)}.${n & 255}`
}
