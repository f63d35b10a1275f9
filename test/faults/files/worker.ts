import { readdir } from 'node:fs/promises'
import { AgentError, type Problem } from '../../../agent/core/errors.ts'
import { type LibraryName, libraryOf } from './libraries.ts'
import { Operations, stateOf } from './operations.ts'

/** What a failed operation left at that moment. */
export interface Failure {
  n: number
  /** How it failed: a text if by anything but an AgentError. */
  problem: Problem | string
  state: string
  names: string[]
}

/**
 * Worker DIR COUNT LIBRARY: does the operations 1 to COUNT and says `done N` after each. One that fails is told as
 * `failed FAILURE` and tried once more.
 */
async function main([dir = '', count = '', name = '']: string[]): Promise<void> {
  const operations = new Operations(dir, await libraryOf(name as LibraryName))
  const attempt = async (n: number, work: () => Promise<void>): Promise<boolean> => {
    try {
      await work()
      console.log(`done ${n}`)
      return true
    } catch (error) {
      const problem = error instanceof AgentError ? error.asProblem() : String(error)
      const failure: Failure = { n, problem, state: await stateOf(dir), names: await readdir(dir) }
      console.log(`failed ${JSON.stringify(failure)}`)
      return false
    }
  }
  for (let n = 1; n <= Number(count); n++) {
    const work = (): Promise<void> => operations.do(n)
    if (!(await attempt(n, work)) && !(await attempt(n, work))) return
  }
  await operations.close()
  console.log('closed')
}

void main(process.argv.slice(2))
