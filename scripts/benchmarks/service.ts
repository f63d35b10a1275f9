import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { decodeJournal } from '../../agent/journal/record.ts'
import { type Host, until } from '../../test/lab/index.ts'
import { type Part, type Stage, sayRound } from './part.ts'
import { untilQuiet } from './quiet.ts'
import type { Series } from './statistics.ts'
import { beginWithBothVersions, nextImage } from './upgrades.ts'

const UNIT = 'calico-agent.service'
const CONFIG = '/etc/calico-agent/agent.yaml'
const MINUTE_MS = 60_000
/** Ticks of /proc/PID/stat are hundredths of a second on Linux (USER_HZ). */
const TICK_MS = 10

/** In the units of the rows. */
const TARGETS = { rss: 80, cpu: 0.1, reaction: 1000 }

export const service: Part = {
  name: 'service',
  title: 'what the service uses, and how soon it reacts to a change',
  how: `\`calico-agent.service\` on a host of the lab. Idle: one minute per round, after the config was applied. RSS is in MB
at the end of that minute. CPU is in % of one processor, with the service's children (systemd-notify). Before the
start, the executable's pages are dropped from the page cache, as after a boot: the pages of a file that was just
written add up to 20 MB. Reaction: from the rename of a changed agent.yaml to the first record of the run's journal,
in ms. RSS is measured again one minute after those upgrades. Rows named target are the targets.`,
  meaning:
    'The reaction includes the 200 ms for which the file must be unchanged, and the queries of Docker, BIRD and the registry.',
  ratios: [
    { key: 'serviceRss', of: 'idle RSS, MB', to: 'target RSS, MB', atMost: 1 },
    { key: 'serviceRssAfterRuns', of: 'RSS after upgrades, MB', to: 'target RSS, MB', atMost: 1 },
    { key: 'serviceCpu', of: 'idle CPU, %', to: 'target CPU, %', atMost: 1 },
    { key: 'serviceReaction', of: 'reaction, ms', to: 'target reaction, ms', atMost: 1 },
  ],
  async measure(stage) {
    await beginWithBothVersions(stage)
    const { host } = stage
    await start(stage)
    try {
      const pid = await mainPid(host)
      const idle = await idleMinutes(stage, pid)
      const reaction = await reactions(stage)
      await sleep(MINUTE_MS)
      return [
        ...idle,
        { label: 'RSS after upgrades, MB', values: [await rssMb(host, pid)] },
        { label: 'target RSS, MB', values: [TARGETS.rss] },
        { label: 'target CPU, %', values: [TARGETS.cpu] },
        reaction,
        { label: 'target reaction, ms', values: [TARGETS.reaction] },
      ]
    } finally {
      await host.run(['systemctl', 'disable', '--now', '--quiet', UNIT])
      await host.ok(['rm', '-rf', `/etc/systemd/system/${UNIT}`, `/etc/systemd/system/${UNIT}.d`])
      await host.ok(['systemctl', 'daemon-reload'])
    }
  },
}

async function start({ lab, host, agent }: Stage): Promise<void> {
  const unit = await readFile(join(import.meta.dirname, '../../systemd', UNIT), 'utf8')
  await host.writeFile(`/etc/systemd/system/${UNIT}`, unit)
  const dropIn = `[Service]\nExecStart=\nExecStart=${agent} daemon\n`
  await host.writeFile(`/etc/systemd/system/${UNIT}.d/bench.conf`, dropIn)
  await host.writeFile(CONFIG, configFor(lab.registry.image('v2.6.5')), 0o600)
  await host.ok(['dd', `of=${agent}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0', 'status=none'])
  await host.ok(['systemctl', 'daemon-reload'])
  await host.ok(['systemctl', 'start', UNIT])
  await until('the config to be applied', () => isSettled(host), { timeoutMs: 30_000 })
}

/** The settling time is left out: it is waited for on purpose. */
function configFor(image: string): string {
  return JSON.stringify({ node: { image }, settle: 0, apply: 'auto' })
}

async function isSettled(host: Host): Promise<boolean> {
  const status = await host.ok(['systemctl', 'show', '--value', '--property=StatusText', UNIT])
  return status.startsWith('as the config asks')
}

async function mainPid(host: Host): Promise<string> {
  return (await host.ok(['systemctl', 'show', '--value', '--property=MainPID', UNIT])).trim()
}

async function idleMinutes({ host, rounds }: Stage, pid: string): Promise<Series[]> {
  const rss: Series = { label: 'idle RSS, MB', values: [] }
  const cpu: Series = { label: 'idle CPU, %', values: [] }
  let before = await cpuMs(host, pid)
  for (let round = 0; round < rounds; round++) {
    const begin = performance.now()
    await sleep(MINUTE_MS)
    const now = await cpuMs(host, pid)
    cpu.values.push((100 * (now - before)) / (performance.now() - begin))
    rss.values.push(await rssMb(host, pid))
    before = now
    sayRound('service', round, rounds, [rss, cpu])
  }
  return [rss, cpu]
}

async function rssMb(host: Host, pid: string): Promise<number> {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(await host.readFile(`/proc/${pid}/status`))?.[1]
  return (Number(kilobytes) * 1024) / 1e6
}

/** utime, stime, cutime and cstime: its own time, and that of the children it has waited for. See proc(5). */
async function cpuMs(host: Host, pid: string): Promise<number> {
  const stat = await host.readFile(`/proc/${pid}/stat`)
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks) * TICK_MS, 0)
}

async function reactions(stage: Stage): Promise<Series> {
  const { host, mesh, rounds } = stage
  const reaction: Series = { label: 'reaction, ms', values: [] }
  for (let round = 0; round < rounds; round++) {
    await untilQuiet()
    const before = await newestRun(host)
    await host.writeFile(`${CONFIG}.new`, configFor(await nextImage(stage)), 0o600)
    const changedAt = Date.now()
    await host.ok(['mv', `${CONFIG}.new`, CONFIG])
    const begun = async (): Promise<boolean> => (await newestRun(host)) !== before
    await until('the run to begin', begun, { timeoutMs: 30_000 })
    reaction.values.push((await beganAt(host, await newestRun(host))) - changedAt)
    await until('the upgrade', () => isSettled(host), { timeoutMs: 120_000 })
    await mesh.untilSettled()
    sayRound('service', round, rounds, [reaction])
  }
  return reaction
}

async function newestRun(host: Host): Promise<string> {
  const { stdout } = await host.run(['ls', '/var/lib/calico-agent/runs'])
  return stdout.trim().split('\n').at(-1) ?? ''
}

/** The clock of a host is this machine's. */
async function beganAt(host: Host, journal: string): Promise<number> {
  const text = await host.readFile(`/var/lib/calico-agent/runs/${journal}`)
  return Date.parse(decodeJournal(text, journal).records[0]?.at ?? '')
}
