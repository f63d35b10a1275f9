import { mkdir, readlink, rm, writeFile } from 'node:fs/promises'
import { asNumber } from './addresses.ts'
import { type Child, execOk, launch } from './exec.ts'
import type { Host } from './host.ts'
import { plugIn, unplug } from './net.ts'
import { labPath } from './paths.ts'
import { until } from './poll.ts'

/** On the hosts' wire, beside their own network: the addresses for benchmarks (RFC 2544). */
const PEERS = '198.18.0.0'
const HOST = '198.18.8.0'
const PREFIX = 20
const NAME = 'many-peers'
const OWN_ADDRESS = '192.0.2.240'
/** Each peer's routes are out of a block of its own. */
const BLOCK = 16

/**
 * BGP peers of one host, as many as a large mesh has: one BIRD with an address and a session for each. It dials, and
 * each session has an address of the host to itself: BIRD 1.6 has one session at most with an address.
 */
export class ManyPeers {
  readonly addresses: readonly string[]
  readonly #host: Host
  readonly #bird: Child

  private constructor(host: Host, addresses: readonly string[], bird: Child) {
    this.#host = host
    this.addresses = addresses
    this.#bird = bird
  }

  static async start(host: Host, count: number, routesEach: number): Promise<ManyPeers> {
    const addresses = Array.from({ length: count }, (_, i) => addressIn(PEERS, i + 1))
    const dir = labPath(NAME)
    await mkdir(dir, { recursive: true })
    await writeFile(`${dir}/bird.conf`, configOf(addresses, routesEach))
    const bird = ['bird', '-f', '-s', `${dir}/bird.ctl`, '-P', `${dir}/bird.pid`, '-c', `${dir}/bird.conf`]
    const process = launch(['unshare', '--net', 'sh', '-c', 'read -r _ && exec "$@"', 'sh', ...bird])
    const many = new ManyPeers(host, addresses, process)
    try {
      await many.#plugIn()
    } catch (error) {
      await many.stop()
      throw error
    }
    return many
  }

  async #plugIn(): Promise<void> {
    const { pid } = this.#bird
    if (pid === undefined) throw new Error('cannot start the BIRD of many peers')
    const own = await readlink('/proc/self/ns/net')
    const isApart = async (): Promise<boolean> => (await readlink(`/proc/${pid}/ns/net`)) !== own
    await until('a network of its own', isApart, { timeoutMs: 5_000 })
    await plugIn(NAME, OWN_ADDRESS, pid)
    await execOk(['nsenter', `--net=/proc/${pid}/ns/net`, ...BATCH], { input: this.#lines('add', PEERS) })
    await this.#host.ok(BATCH, { input: this.#lines('add', HOST) })
    // BIRD listens with room for 8: whom it turns away is told so, and dials again
    await this.#host.ok(['sysctl', '-qw', ...QUEUE_FULL.tell])
    this.#bird.stdin.end('\n')
  }

  #lines(action: 'add' | 'del', first: string): string {
    return this.addresses
      .map((_, i) => `address ${action} ${addressIn(first, i + 1)}/${PREFIX} dev eth0\n`)
      .join('')
  }

  /** Ends them without a word to the host. */
  async stop(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>()
    this.#bird.once('exit', () => {
      resolve(undefined)
    })
    if (this.#bird.exitCode === null && this.#bird.kill('SIGKILL')) await promise
    await unplug(NAME).catch(() => undefined)
    await this.#host.run(BATCH, { input: this.#lines('del', HOST) })
    await this.#host.run(['sysctl', '-qw', ...QUEUE_FULL.normal])
    await rm(labPath(NAME), { recursive: true, force: true })
  }
}

const QUEUE_FULL = {
  tell: ['net.ipv4.tcp_abort_on_overflow=1', 'net.ipv4.tcp_syncookies=0'],
  normal: ['net.ipv4.tcp_abort_on_overflow=0', 'net.ipv4.tcp_syncookies=1'],
}
const BATCH = ['ip', '-force', '-batch', '-']

function configOf(addresses: readonly string[], routesEach: number): string {
  const blockOf = (i: number): string => addressIn('198.19.0.0', i * BLOCK)
  const routes = addresses.flatMap((_, i) =>
    Array.from(
      { length: routesEach },
      (_, n) => `route ${addressIn('198.19.0.0', i * BLOCK + n)}/32 blackhole;`,
    ),
  )
  const sessions = addresses.map(
    (address, i) => `protocol bgp peer${i} from many {
  source address ${address};
  connect delay time ${1 + (i % 5)}; connect retry time 2; error wait time 1,2;
  neighbor ${addressIn(HOST, i + 1)} as ${asNumber};
  export where net ~ [ ${blockOf(i)}/28+ ];
}`,
  )
  return `router id ${OWN_ADDRESS};
protocol device { scan time 2; }
protocol static { ${routes.join('\n')} }
template bgp many {
  local as ${asNumber};
  multihop;
  import none;
  next hop self;
  graceful restart;
}
${sessions.join('\n')}
`
}

/** The n-th address from `first` on, whose last byte is zero. */
function addressIn(first: string, n: number): string {
  const [a, b, c] = first.split('.').map(Number) as [number, number, number]
  return `${a}.${b}.${c + (n >> 8)}.${n & 255}`
}
