import { decodeJournal, type JournalRecord } from '../../agent/journal/record.ts'
import type { Host } from '../lab/index.ts'
import { type AgentResult, parseReport } from './support.ts'

/** An agent at work while the test acts. */
export interface BackgroundAgent {
  /** Waits until its log holds a line like this. */
  untilLogs(line: RegExp): Promise<void>
  kill(signal: NodeJS.Signals): Promise<void>
  done: Promise<AgentResult>
}

/** Starts the agent with `--json`; its log has every look at BIRD. */
export async function startAgent(host: Host, ...args: string[]): Promise<BackgroundAgent> {
  const agent = await host.start(['agent', ...args, '--json', '--log-level', 'debug'])
  return {
    untilLogs: (line) => agent.untilSays(line),
    kill: (signal) => agent.kill(signal),
    done: agent.done.then(({ code, stdout, stderr }) => ({
      code,
      stderr,
      get report() {
        return parseReport(stdout, stderr)
      },
    })),
  }
}

/** Flags of a run that need not show how long the defaults are. */
export async function quickly(host: Host, { settle = 2 } = {}): Promise<string[]> {
  const path = '/tmp/quick.yaml'
  await host.writeFile(path, `window: 60\nsettle: ${settle}\n`)
  return ['--config', path]
}

/** The journal of the newest run. */
export async function journal(host: Host): Promise<JournalRecord[]> {
  const script = 'cat "$(ls -d /var/lib/calico-agent/runs/*.jsonl | tail -1)"'
  return decodeJournal(await host.ok(['sh', '-c', script]), 'the newest journal').records
}

/** What became of the host's containers since `since`, both in ms since the epoch. */
export async function containerEvents(
  host: Host,
  since: number,
): Promise<{ at: number; action: string; id: string }[]> {
  const range = [since, Date.now()].map((ms) => (ms / 1000).toFixed(3))
  const argv = ['docker', 'events', '--since', range[0] ?? '', '--until', range[1] ?? '', '--filter']
  const lines = await host.ok([...argv, 'type=container', '--format', '{{.TimeNano}} {{.Action}} {{.ID}}'])
  return lines
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [nanoseconds = '', action = '', id = ''] = line.split(' ')
      return { at: Number(nanoseconds) / 1e6, action, id }
    })
}
