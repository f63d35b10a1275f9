import { AgentError } from '../../core/errors.ts'
import { NoAnswer } from './no-answer.ts'

/** Runs a program in a container; rejects with AgentError when it could not be run to its end in time. */
export type Exec = (
  container: string,
  argv: string[],
  timeoutMs: number,
) => Promise<{ exitCode: number; output: string }>

/** How long BIRD may take for one reply, with the start of a process in the container. */
const EXEC_DEADLINE_MS = 5_000

/** One `birdcl` for each command: it accepts only one. */
export async function askInContainer(
  exec: Exec,
  container: string,
  socket: string,
  commands: readonly string[],
): Promise<string[]> {
  const replies: string[] = []
  for (const command of commands) replies.push(await ask(exec, container, socket, command))
  return replies
}

/** `-v` keeps the reply codes; a Calico container always has birdcl, not always birdc. */
async function ask(exec: Exec, container: string, socket: string, command: string): Promise<string> {
  const argv = ['birdcl', '-v', '-s', socket, ...command.split(' ')]
  const { exitCode, output } = await execOrSilent(exec, container, argv)
  if (exitCode === 0) return output
  throw new NoAnswer(/Unable to connect|Connection closed/.test(output) ? 'down' : 'silent')
}

/** An exec that cannot be created says nothing about BIRD: ask Docker whether the container is alive. */
async function execOrSilent(exec: Exec, container: string, argv: string[]) {
  try {
    return await exec(container, argv, EXEC_DEADLINE_MS)
  } catch (error) {
    if (error instanceof AgentError) throw new NoAnswer('silent', error)
    throw error
  }
}
