import { readFile } from 'node:fs/promises'
import { type Child, collect, type ExecOptions, type ExecResult, finish, launch } from './exec.ts'
import { until } from './poll.ts'

/** A program that runs on a host. */
export type HostProcess = {
  /** Its pid as this machine counts; undefined when it has ended. */
  pid(): Promise<number | undefined>
  /** Signals the program itself, inside its pid namespace. Throws when it has ended. */
  kill(signal: NodeJS.Signals): Promise<void>
  /** Waits until its output, stdout and stderr together, holds this text. Throws when it ends without. */
  untilSays(text: string | RegExp): Promise<void>
  stdin: Child['stdin']
  stdout: Child['stdout']
  stderr: Child['stderr']
  done: Promise<ExecResult>
}

const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Runs `argv` on the host whose PID 1 is `pid`, with a root login's environment. */
export async function runOnHost(
  pid: number,
  argv: readonly string[],
  options: ExecOptions,
): Promise<ExecResult> {
  const nsenter = launch([...enter(pid), ...argv], { env: environment(options) })
  const result = collect(nsenter, options.onStdout)
  return await finish(nsenter, result, options, () =>
    // it may not have forked yet
    kill(nsenter, 'SIGKILL').catch(() => nsenter.kill('SIGKILL')),
  )
}

export async function startOnHost(
  pid: number,
  argv: readonly string[],
  options: Pick<ExecOptions, 'env' | 'onStdout'>,
): Promise<HostProcess> {
  const nsenter = launch([...enter(pid), ...argv], { env: environment(options) })
  const done = collect(nsenter, options.onStdout)
  let output = ''
  for (const stream of [nsenter.stdout, nsenter.stderr]) {
    stream.on('data', (chunk: string) => (output += chunk))
  }
  const program = argv[0] ?? ''
  const started = async (): Promise<boolean> => hasEnded(nsenter) || (await childOf(nsenter)) !== undefined
  await until(`${program} to start`, started, { everyMs: 2 })
  const untilSays = async (text: string | RegExp): Promise<void> => {
    const said = (): boolean => (typeof text === 'string' ? output.includes(text) : text.test(output))
    await until(`${program} to say ${String(text)}`, () => Promise.resolve(said() || hasEnded(nsenter)), {
      everyMs: 2,
    })
    if (!said()) throw new Error(`cannot wait for ${program} to say ${String(text)}: it ended: ${output}`)
  }
  const { stdin, stdout, stderr } = nsenter
  return {
    pid: () => childOf(nsenter),
    kill: (signal) => kill(nsenter, signal),
    untilSays,
    stdin,
    stdout,
    stderr,
    done,
  }
}

export const enter = (pid: number): string[] => [
  'nsenter',
  `--target=${pid}`,
  '--mount',
  '--net',
  '--pid',
  '--uts',
  '--ipc',
  '--root',
  '--wd',
]

const environment = ({ env }: ExecOptions): Record<string, string> => ({
  PATH: path,
  HOME: '/root',
  USER: 'root',
  LANG: 'C.UTF-8',
  ...env,
})

const hasEnded = (child: Child): boolean => child.exitCode !== null || child.signalCode !== null

/** nsenter forks once to be in the pid namespace and passes no signal on: its only child is the program. */
async function childOf({ pid }: Child): Promise<number | undefined> {
  const children = await readFile(`/proc/${pid ?? 0}/task/${pid ?? 0}/children`, 'utf8').catch(() => '')
  const first = children.trim().split(' ')[0]
  return first === undefined || first === '' ? undefined : Number(first)
}

async function kill(nsenter: Child, signal: NodeJS.Signals): Promise<void> {
  const target = await childOf(nsenter)
  if (target === undefined) throw new Error(`cannot send ${signal}: the program has ended`)
  process.kill(target, signal)
}
