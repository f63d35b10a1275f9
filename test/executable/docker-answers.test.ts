// The agent as a program of its own, at an Engine whose answers go wrong. A test runner keeps its event loop alive, and
// a wait that never settles would look like one that does.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Report } from '../../agent/core/report/report.ts'
import { exitCodeOf } from '../../agent/stories/run-report.ts'
import { type Call, cut, json, type Reply } from '../adapters/docker/fake-engine.ts'
import { type Ended, NEW, OLD, type ProgramWorld, start, startProgramWorld } from './program.ts'
import { answersOf } from './wire.ts'

let world: ProgramWorld
beforeEach(async () => {
  world = await startProgramWorld()
})
afterEach(() => world.engine.close())

const html: Reply = (_call, response) => {
  response.writeHead(200, { 'content-type': 'text/html' }).end('<html>It works!</html>')
}

const answers = {
  'a cut after its headers': cut('no body'),
  'a cut in half its body': cut('half a body'),
  'an empty object': json(200, {}),
  html,
}
type Kind = keyof typeof answers

/** The Engine answers so to the calls that match; `times` of them, then as it should. */
function answer(pattern: RegExp, reply: Reply, times = Infinity): () => number {
  let count = 0
  const right = answersOf(world.docker)
  const wrong = (call: Call): boolean => pattern.test(`${call.method} ${call.path}`) && count++ < times
  world.engine.otherwise((call, response) => {
    ;(wrong(call) ? reply : right)(call, response)
  })
  return () => count
}

const run = (...words: string[]): Promise<Ended> => start(world.argv(...words), world.env).ended

/** Id of the second container that an Engine in memory makes. */
const NEXT = '2'.padStart(12, 'c').padEnd(64, '0')

/** It ended with the code of what it says, and what it says is so. */
async function expectHonest({ code, stdout, stderr }: Ended): Promise<Report> {
  expect(stdout, stderr).not.toBe('')
  const report = JSON.parse(stdout) as Report
  expect(code, stdout).toBe(exitCodeOf(report))
  expect(report.problems.map((problem) => problem.code)).not.toContain('internal')
  const { State, Config } = (await world.docker.inspectContainer('calico-node')) ?? {}
  if (report.outcome !== 'stuck') {
    expect(State?.Running).toBe(true)
    expect(Config?.Image).toBe(report.outcome === 'upgraded' ? NEW : OLD)
  }
  return report
}

describe('status', () => {
  it.each([
    ['a cut after its headers', 'docker-unreachable'],
    ['an empty object', 'docker-answer-invalid'],
    ['html', 'docker-answer-invalid'],
  ] as const)('that gets %s fails by name, in JSON', async (kind, problem) => {
    answer(/^GET \/containers\/calico-node/, answers[kind])
    const { code, stdout } = await run('status', '--json')
    expect(code).toBe(3)
    expect(JSON.parse(stdout)).toMatchObject({ node: null, problems: [{ code: problem }] })
  })
})

describe('an upgrade that cannot look', () => {
  const looks = [
    'GET /info',
    'GET /containers/calico-node/json',
    'GET /images/.*/json',
    'GET /containers/json',
  ]
  const moments: [string, Kind][] = [
    ...looks.map((call): [string, Kind] => [call, 'a cut in half its body']),
    ...looks.map((call): [string, Kind] => [call, 'an empty object']),
    ['GET /version', 'a cut after its headers'],
    ['GET /version', 'html'],
  ]
  it.each(moments)('%s: %s, is refused', async (call, kind) => {
    answer(new RegExp(`^${call}$`), answers[kind])
    if (call === 'GET /version') world.engine.on(call, answers[kind])
    const ended = await run('upgrade', '--node', NEW, '--json')
    expect(await expectHonest(ended)).toMatchObject({ outcome: 'refused', changed: false })
    expect(world.docker.ops.filter((op) => op.startsWith('docker kill'))).toEqual([])
  })
})

describe('an upgrade of which one answer goes wrong, ends with the code of what became of it', () => {
  const cuts = [
    ...['GET /distribution/.*', 'POST /images/create', 'POST /containers/create'],
    ...['POST /containers/.*/kill', 'POST /containers/.*/start', 'POST /containers/.*/update'],
    ...['POST /containers/.*/rename', 'GET /containers/c+2.*/json', 'GET /containers/c+1.*/json'],
  ].map((call): [string, Kind] => [call, 'a cut after its headers'])
  const wrong = ['POST /containers/create', 'GET /containers/c+2.*/json', 'POST /containers/.*/update'].map(
    (call): [string, Kind] => [call, 'an empty object'],
  )
  it.each([...cuts, ...wrong])('%s: %s', async (call, kind) => {
    const count = answer(new RegExp(`^${call}$`), answers[kind], 1)
    await expectHonest(await run('upgrade', '--node', NEW, '--json'))
    expect(count()).toBeGreaterThan(0)
  })
})

it('a resume that gets a cut answer is no success', async () => {
  // the agent dies in its window
  const dying = start(world.argv('upgrade', '--node', NEW, '--json'), world.env)
  world.engine.on(`POST /containers/${NEXT}/start`, () => {
    dying.kill('SIGKILL')
  })
  await dying.ended
  const count = answer(/^GET \/containers\/c+2.*\/json$/, cut('no body'), 3)
  world.engine.on(`POST /containers/${NEXT}/start`, answersOf(world.docker))
  const { code, stdout, stderr } = await run('resume', '--json')
  expect(count()).toBeGreaterThan(0)
  const report = JSON.parse(stdout) as Report
  expect(code, stderr).toBe(exitCodeOf(report))
  expect(code).not.toBe(0)
})
