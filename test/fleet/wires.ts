import { type Child, launch } from '../lab/exec.ts'
import { ipBatch } from '../lab/net.ts'

const BRIDGE = 'br0'

/** A network that lasts as long as this process, or until its `cat` has nothing more to read. */
const HOLD = 'ip link set lo up && echo ready && exec cat'

/** Networks on one switch, each with a link that can be cut. Nothing of the machine's own network is touched. */
export class Wires {
  readonly #switch: Child
  readonly #ends: Child[]

  private constructor([bridge, ...ends]: [Child, ...Child[]]) {
    this.#switch = bridge
    this.#ends = ends
  }

  /** Needs root. */
  static async between(count: number): Promise<Wires> {
    const ends = await Promise.all(Array.from({ length: count }, hold))
    const wires = new Wires([await hold(), ...ends])
    await ipBatch(networkOf(wires.#switch), [
      `link add ${BRIDGE} type bridge forward_delay 0 mcast_snooping 0`,
      `link set ${BRIDGE} up`,
      ...ends.flatMap(({ pid }, index) => [
        `link add ${portOf(index)} type veth peer name eth0 netns ${pid}`,
        `link set ${portOf(index)} master ${BRIDGE} up`,
      ]),
    ])
    await Promise.all(
      ends.map((end, index) =>
        ipBatch(networkOf(end), [`addr add ${wires.addressOf(index)}/24 dev eth0`, 'link set eth0 up']),
      ),
    )
    return wires
  }

  addressOf(index: number): string {
    return `192.0.2.${index + 1}`
  }

  /** Runs a program in the network of one. */
  in(index: number, argv: readonly string[]): string[] {
    return ['nsenter', `--net=${networkOf(this.#ends[index])}`, ...argv]
  }

  /** What it sends is lost, and nothing arrives; it is told nothing. */
  async cut(index: number): Promise<void> {
    await ipBatch(networkOf(this.#switch), [`link set ${portOf(index)} down`])
  }

  async mend(index: number): Promise<void> {
    await ipBatch(networkOf(this.#switch), [`link set ${portOf(index)} up`])
  }

  close(): void {
    for (const { stdin } of [this.#switch, ...this.#ends]) stdin.end()
  }
}

const portOf = (index: number): string => `to-${index}`

const networkOf = (holder: Child | undefined): string => `/proc/${holder?.pid}/ns/net`

async function hold(): Promise<Child> {
  const holder = launch(['unshare', '--net', 'sh', '-c', HOLD])
  await new Promise((resolve, reject) => {
    holder.stdout.once('data', resolve)
    holder.once('exit', () => {
      reject(new Error('cannot make a network: it needs root'))
    })
  })
  return holder
}
