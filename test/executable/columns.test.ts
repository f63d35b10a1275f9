// Text for people on a terminal of 80 columns, and in a pipe: its lines and its colours.

import { stripVTControlCharacters } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Ended, NEW, type ProgramWorld, start, startProgramWorld } from './program.ts'

let world: ProgramWorld
beforeEach(async () => {
  world = await startProgramWorld()
})
afterEach(() => world.engine.close())

const piped = (...words: string[]): Promise<Ended> => start(world.argv(...words), world.env).ended

/** On a terminal of its own, without colours. */
const onTerminal = (...words: string[]): Promise<Ended> => {
  const command = `stty cols 80; exec ${world.argv(...words).join(' ')}`
  // Node warns of FORCE_COLOR beside NO_COLOR
  const env = { ...world.env, TERM: 'xterm', NO_COLOR: '1', FORCE_COLOR: undefined }
  return start(['script', '--quiet', '--return', '--command', command, '/dev/null'], env).ended
}

const linesOf = ({ stdout }: Ended): string[] => stdout.replaceAll('\r', '').trimEnd().split('\n')
/** Each plan has a run of its own. */
const wordsOf = (lines: string[]): string[] =>
  lines
    .join(' ')
    .replace(/\d{8}T\d{6}Z-\w{4}/g, 'RUN')
    .split(/\s+/)

describe.each(['doctor', 'plan', 'status'])('agent %s', (command) => {
  it('has lines of 80 columns on a terminal, and whole ones in a pipe', async () => {
    const words = [command, '--node', NEW]
    const [whole, wrapped] = [linesOf(await piped(...words)), linesOf(await onTerminal(...words))]
    expect(wordsOf(wrapped)).toEqual(wordsOf(whole))
    expect(Math.max(...whole.map((line) => line.length))).toBeGreaterThan(80)
    expect(wrapped.filter((line) => line.length > 80)).toEqual([])
  })

  it('has no colours in a pipe, also where a CI runner or FORCE_COLOR is for them', async () => {
    const env = { ...world.env, CI: 'true', FORCE_COLOR: '1' }
    const { stdout } = await start(world.argv(command, '--node', NEW), env).ended
    expect(stdout).toBe(stripVTControlCharacters(stdout))
    expect(stdout).not.toBe('')
  })
})
