import { beforeEach, describe, expect, it, vi } from 'vitest'
import { documentOfFailure } from '../../agent/commands/usage-error.ts'
import { AgentError, ExitCode } from '../../agent/core/errors.ts'
import { run } from './environment.ts'

const stderr = vi.spyOn(process.stderr, 'write')

beforeEach(() => {
  stderr.mockReset().mockReturnValue(true)
})

async function usage(...argv: string[]): Promise<object | null> {
  const { text, code } = await run(argv)
  expect(code).toBe(ExitCode.usage)
  expect(stderr.mock.calls.flat().join('')).toMatch(/^calico-agent: .+\ncalico-agent --help shows/)
  return text === '' ? null : (JSON.parse(text) as object)
}

const code = 'bad-usage'

describe('a usage error with --json', () => {
  it.each(['upgrade', 'plan', 'prefetch', 'rollback', 'resume', 'daemon'])(
    'has the report of %s',
    async (name) => {
      const refused = { outcome: 'refused', changed: false, problems: [{ code, severity: 'error' }] }
      expect(await usage(name, '--json', '--bogus')).toMatchObject(refused)
    },
  )

  it('has the document of status', async () => {
    expect(await usage('--json', 'status', '--bogus')).toMatchObject({ node: null, problems: [{ code }] })
  })

  it('has the document of doctor', async () => {
    expect(await usage('doctor', '--bogus', '--json')).toMatchObject({ ready: false, checks: [{ code }] })
  })

  it('has the document of history', async () => {
    expect(await usage('history', 'status', 'x', '--json')).toMatchObject({ problems: [{ code }] })
  })

  it('has the document of gc', async () => {
    expect(await usage('gc', '--json', '--bogus')).toMatchObject({ containers: [], problems: [{ code }] })
  })

  it('has the document of config check', async () => {
    expect(await usage('config', 'chekc', '--json')).toMatchObject({ valid: false, problems: [{ code }] })
  })

  it('has the document of config show', async () => {
    expect(await usage('config', 'show', '--json', '--bogus')).toMatchObject({
      settings: [],
      problems: [{ code }],
    })
  })

  it('has one where a value is given', async () => {
    expect(await usage('plan', '--json=true', '--bogus')).toMatchObject({ outcome: 'refused' })
  })

  it.each([
    ['no command', ['--json']],
    ['an unknown command', ['upgarde', '--json']],
    ['a command without a document', ['completion', '--json']],
  ])('has the problem alone: %s', async (_, argv) => {
    expect(await usage(...argv)).toEqual({ schema: 1, problems: [expect.objectContaining({ code })] })
  })

  it('has the known word that is like an unknown one', async () => {
    const message = 'Unknown command: upgarde; did you mean upgrade?'
    expect(await usage('upgarde', '--json')).toMatchObject({ problems: [{ code, message }] })
  })

  it('has the document of fleet, not of the command below it', async () => {
    const document = { schema: 1, changed: false, problems: [expect.objectContaining({ code })] }
    expect(await usage('fleet', 'resume', '--json', '--bogus')).toEqual(document)
  })
})

it.each(['plan --bogus', 'plan --json=false --bogus', 'plan --bogus -- --json'])(
  'without --json is told on stderr alone: %s',
  async (line) => {
    expect(await usage(...line.split(' '))).toBeNull()
  },
)

describe('a failure that no command expected, with --json', () => {
  const bug = new AgentError('internal', 'internal error: x', { fix: 'report it', exitCode: ExitCode.bug })
  const named = new AgentError('no-descriptors', 'none', { fix: 'raise the limit' })

  it('leaves open what a run did', () => {
    const document = { outcome: 'stuck', changed: false, problems: [{ code: 'internal' }] }
    expect(documentOfFailure(['upgrade', '--json'], bug)).toMatchObject(document)
  })

  it('is a refusal where it has a name', () => {
    const document = { outcome: 'refused', problems: [{ code: 'no-descriptors' }] }
    expect(documentOfFailure(['upgrade', '--json'], named)).toMatchObject(document)
  })

  it('has the document of the other commands', () => {
    expect(documentOfFailure(['status', '--json'], bug)).toMatchObject({ node: null, problems: [{}] })
    expect(documentOfFailure(['gc', '--json'], bug)).toMatchObject({ containers: [], problems: [{}] })
  })

  it('is none where none is asked for', () => {
    expect(documentOfFailure(['upgrade'], bug)).toBeNull()
  })
})
