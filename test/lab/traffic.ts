import { type Child, collect, launch } from './exec.ts'
import type { Host } from './host.ts'
import { podNamespace } from './net.ts'
import { until } from './poll.ts'

export type TrafficReport = {
  sent: number
  lost: number
  /** The longest time without an answer, in either direction. At no loss it is about the interval. */
  longestGapMs: number
}

export type Traffic = { stop(): Promise<TrafficReport> }

// An answer that takes longer than this has not come: the wire's round trip is below 1 ms, but ping may not run at once.
const lingerMs = 5_000

/** Pings between the pods of two hosts, in both directions, from now until `stop`. */
export async function startTraffic(from: Host, to: Host, { intervalMs = 10 } = {}): Promise<Traffic> {
  const flows = await Promise.all([startFlow(from, to, intervalMs), startFlow(to, from, intervalMs)])
  return {
    stop: async () => {
      const reports = await Promise.all(flows.map((flow) => flow.stop()))
      return {
        sent: reports.reduce((sum, { sent }) => sum + sent, 0),
        lost: reports.reduce((sum, { lost }) => sum + lost, 0),
        longestGapMs: Math.max(...reports.map(({ longestGapMs }) => longestGapMs)),
      }
    },
  }
}

async function startFlow(from: Host, to: Host, intervalMs: number): Promise<Traffic> {
  const seconds = String(intervalMs / 1000)
  const ping = launch([
    'nsenter',
    `--net=${podNamespace(from.name)}`,
    'ping',
    '-n',
    '-D',
    '-i',
    seconds,
    to.pod,
  ])
  const ended = collect(ping)
  const answers = new Answers()
  readLines(ping.stdout, (line) => {
    answers.add(line)
  })
  await until(`a ping from ${from.name} to ${to.name}`, () => Promise.resolve(answers.times.size > 0), {
    everyMs: 10,
  })
  return {
    stop: async () => {
      // How many were sent up to here; those that follow while we wait for late answers do not count.
      const sent = await transmitted(ping)
      const stoppedAt = Date.now()
      const isAnswered = (): Promise<boolean> => Promise.resolve(answers.countTo(sent) === sent)
      const late = { timeoutMs: lingerMs, everyMs: 10 }
      await until('the last answers', isAnswered, late).catch(() => undefined)
      ping.kill('SIGINT')
      await ended
      return answers.report(sent, stoppedAt)
    },
  }
}

/** ping tells on stderr how many it has sent when it gets SIGQUIT, and goes on. */
function transmitted(ping: Child): Promise<number> {
  return new Promise((resolve, reject) => {
    let text = ''
    ping.stderr.on('data', (chunk: string) => {
      text += chunk
      const sent = /\d+\/(\d+) packets/.exec(text)?.[1]
      if (sent !== undefined) resolve(Number(sent))
    })
    ping.on('close', () => {
      reject(new Error(`cannot count packets: ping ended early: ${text}`))
    })
    if (!ping.kill('SIGQUIT')) reject(new Error('cannot count packets: ping ended early'))
  })
}

/** When each packet was answered first; ICMP sequence numbers are 16 bits and are counted on. */
class Answers {
  readonly times = new Map<number, number>()
  #highest = 0

  /** "[1706695200.123456] 64 bytes from 198.51.100.2: icmp_seq=7 ttl=62 time=0.081 ms" */
  add(line: string): void {
    const match = /^\[(\d+\.\d+)\] \d+ bytes from .* icmp_seq=(\d+) /.exec(line)
    if (match?.[1] === undefined || match[2] === undefined) return
    const wraps = Math.round((this.#highest - Number(match[2])) / 65_536)
    const sequence = Number(match[2]) + wraps * 65_536
    this.#highest = Math.max(this.#highest, sequence)
    if (!this.times.has(sequence)) this.times.set(sequence, Number(match[1]) * 1000)
  }

  /** How many of the first packets were answered. */
  countTo(sent: number): number {
    return [...this.times.keys()].filter((sequence) => sequence <= sent).length
  }

  report(sent: number, stoppedAt: number): TrafficReport {
    const counted = [...this.times].filter(([sequence]) => sequence <= sent)
    const times = [...counted.map(([, time]) => time).sort((a, b) => a - b), stoppedAt]
    const gaps = times.slice(1).map((time, index) => time - (times[index] ?? time))
    return { sent, lost: sent - counted.length, longestGapMs: Math.round(Math.max(0, ...gaps)) }
  }
}

function readLines(stream: Child['stdout'], onLine: (line: string) => void): void {
  let rest = ''
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line)
  })
}
