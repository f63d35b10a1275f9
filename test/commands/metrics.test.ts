import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { writeFileAtomic } from '../../agent/adapters/atomic-file.ts'
import type { Environment } from '../../agent/commands/environment.ts'
import { configSchema } from '../../agent/config/schema.ts'
import { AgentError, ExitCode } from '../../agent/core/errors.ts'
import type { MetricsReport } from '../../agent/core/report/metrics.ts'
import { json, type Listener, listenAtSocket, plain } from '../../agent/service/http.ts'
import { manualHost } from '../service/facts.ts'
import { run } from './environment.ts'

const refusal = (code: string, exitCode?: ExitCode) =>
  new AgentError(code, `cannot: ${code}`, { fix: 'mend it', ...(exitCode !== undefined && { exitCode }) })

let directory: string
let socket: string
let listener: Listener | undefined
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'metrics-'))
  socket = join(directory, 'agent.sock')
})
afterEach(async () => {
  await listener?.close()
  listener = undefined
  await rm(directory, { recursive: true })
})

/** A host whose Docker does not answer. */
async function metrics(args: string[], world: Partial<Environment> = {}) {
  const warned = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
  const { runs } = manualHost()
  const { text, code } = await run(['metrics', ...args], {
    version: '0.1.0',
    loadConfig: () => Promise.resolve(configSchema.parse({ service: { socket } })),
    open: () => Promise.reject(refusal('docker-unreachable')),
    figures: () => () => (runs ? Promise.resolve(runs) : Promise.reject(new Error('no figures'))),
    writeFile: (path, content, mode = 0o600) => writeFileAtomic(path, content, { mode }),
    ...world,
  })
  const said = warned.mock.calls.flat().join('')
  warned.mockRestore()
  return { text, code, said }
}

const serve = async (answer: ReturnType<typeof plain>): Promise<void> => {
  listener = await listenAtSocket(socket, { '/status': () => Promise.resolve(answer) })
}

describe('calico-agent metrics', () => {
  it('takes the state and the look from the service, and the runs from the journals', async () => {
    await serve(json({ schema: 1, service: { state: 'held' }, host: manualHost().host }))
    const { text, code } = await metrics([])
    expect(code).toBe(0)
    for (const line of [
      'calico_agent_state{state="held"} 1',
      'calico_agent_runs_total{outcome="upgraded"} 2',
      'calico_agent_host_seen 1',
      'calico_agent_bird_up 1',
    ])
      expect(text.split('\n')).toContain(line)
    // node_exporter, which reads the file, has its own
    expect(text).not.toContain('process_')
  })

  it.each([
    ['no service', null],
    ['a service that cannot tell', plain(500, 'it broke')],
    ['a service of another time', json({ schema: 2 })],
    ['another program', plain(200, 'hello')],
  ])('looks itself where there is %s', async (_, answer) => {
    if (answer) await serve(answer)
    const { text } = await metrics([])
    expect(text).not.toContain('calico_agent_state')
    expect(text).toContain('calico_agent_host_seen 0')
    expect(text).toContain('calico_agent_runs_total{outcome="upgraded"} 2')
  })

  it('shows what there is where the config and a journal cannot be read, and says why on stderr', async () => {
    const world: Partial<Environment> = {
      loadConfig: () => Promise.reject(refusal('bad-config', ExitCode.usage)),
      figures: () => () => Promise.reject(refusal('journal-damaged', ExitCode.stuck)),
    }
    const { text, code, said } = await metrics([], world)
    expect(text).toContain('calico_agent_config_valid 0')
    expect(text).not.toContain('runs_total')
    expect(said).toContain('cannot: bad-config')
    expect(said).toContain('cannot: journal-damaged')
    expect(code).toBe(0)
    const { problems } = JSON.parse((await metrics(['--json'], world)).text) as MetricsReport
    expect(problems.map((problem) => problem.code)).toEqual(['bad-config', 'journal-damaged'])
  })

  it('replaces a file that everyone can read, and prints nothing', async () => {
    const file = join(directory, 'calico-agent.prom')
    expect(await metrics(['--output', file])).toMatchObject({ text: '', code: 0 })
    expect(await readFile(file, 'utf8')).toMatch(/^# HELP calico_agent_info [\s\S]*\n$/)
    expect((await stat(file)).mode & 0o777).toBe(0o644)
    expect(await readdir(directory)).toEqual(['calico-agent.prom'])
  })

  it('refuses a file that cannot be written', async () => {
    const { text, said, code } = await metrics(['--output', join(directory, 'nowhere/calico-agent.prom')])
    expect({ text, code }).toEqual({ text: '', code: ExitCode.refused })
    expect(said).toContain(`cannot write ${directory}/nowhere/calico-agent.prom: no such file or directory`)
    const shown = await metrics(['--json', '--output', directory])
    expect(JSON.parse(shown.text)).toMatchObject({ metrics: [], problems: [{ code: 'cannot-write' }] })
  })

  it('has JSON with each sample', async () => {
    const report = JSON.parse((await metrics(['--json'])).text) as MetricsReport
    expect(report).toMatchObject({ schema: 1, problems: [] })
    const { type, samples } = report.metrics.find(({ name }) => name === 'calico_agent_runs_total') ?? {}
    expect(type).toBe('counter')
    expect(samples).toContainEqual({ labels: { outcome: 'rolled-back' }, value: 1 })
  })
})
