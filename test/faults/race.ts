import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

const worker = join(import.meta.dirname, 'race-worker.ts')

/** Two agents at once; in words, what is wrong. Each gets its own state directory: the same one, but in the control. */
export async function raceFlaws(stateDirs: readonly [string, string]): Promise<string[]> {
  const said = await Promise.all(stateDirs.map(race))
  const held = said.filter((line) => !line.startsWith('refused')).map((line) => line.split(' ').map(BigInt))
  const refused = said.filter((line) => line.startsWith('refused'))
  const flaws = refused.filter((line) => line !== 'refused 75').map((line) => `it was ${line}`)
  if (held.length === 0) flaws.push('nobody got the lock')
  const [[from1 = 0n, to1 = 0n] = [], [from2 = 0n, to2 = 0n] = []] = held
  if (held.length === 2 && from1 < to2 && from2 < to1) flaws.push('both held the lock at once')
  return flaws
}

async function race(stateDir: string): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [worker, stateDir])
  return stdout.trim()
}
