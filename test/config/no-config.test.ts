import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { MAX_CONFIG_BYTES } from '../../agent/config/load.ts'
import { ConfigError } from '../../agent/config/problems.ts'
import { parse, problemsOf } from './parsing.ts'

describe('what is no config', () => {
  it.each([
    ['an empty file', '', /it is empty/],
    ['comments alone', '# nothing yet\n', /it is empty/],
    ['a key twice', 'window: 60\nwindow: 90\n', /^agent.yaml:2:1: Map keys must be unique/],
    ['two documents', 'window: 60\n---\nwindow: 90\n', /^agent.yaml:2:1: a second YAML document starts here/],
    ['tabs', 'node:\n\timage: x\n', /^agent.yaml:2:1: Tabs are not allowed/],
    ['an unclosed quote', 'window: "60\n', /^agent.yaml:2:1: Missing closing/],
    ['an unknown tag', 'window: !!js/function x\n', /^agent.yaml:1:9: Unresolved tag/],
    ['an unknown alias', 'window: *nowhere\n', /cannot read it as YAML: Unresolved alias|^agent.yaml:1:9/],
    ['binary', Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0x02, 0xff, 0xfe]), /not UTF-8 text/],
    ['UTF-16', Buffer.from('\ufeffwindow: 60\n', 'utf16le'), /not UTF-8 text/],
    ['NUL', 'window: 60\0\n', /not UTF-8 text/],
  ])('%s', (_, text, expected) => {
    expect(problemsOf(text)[0]).toMatch(expected)
  })

  it('shows how an empty file might begin', () => {
    expect(() => parse('')).toThrow(
      expect.objectContaining({ fix: expect.stringContaining('node:\n  image:') as string }),
    )
  })

  it.each([
    ['an alias bomb', bomb()],
    ['deep lists', '['.repeat(MAX_CONFIG_BYTES)],
    ['deep lists, closed', '['.repeat(MAX_CONFIG_BYTES / 2) + ']'.repeat(MAX_CONFIG_BYTES / 2)],
    ['deep mappings', Array.from({ length: 250 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')],
    ['many keys', Array.from({ length: 3_000 }, (_, i) => `key${i}: 1`).join('\n')],
    ['many flow keys', `{${'a,'.repeat(MAX_CONFIG_BYTES / 2 - 1)}`],
    ['many directives', '%\n'.repeat(MAX_CONFIG_BYTES / 2)],
    ['one long key', 'a'.repeat(MAX_CONFIG_BYTES - 3) + ': 1'],
    ['one long number', `window: ${'9'.repeat(MAX_CONFIG_BYTES - 8)}`],
    ['a long text', `node: { image: ${'a'.repeat(MAX_CONFIG_BYTES - 17)} }`],
  ])('is refused within two seconds of CPU time: %s', (_, text) => {
    expect(text.length).toBeLessThanOrEqual(MAX_CONFIG_BYTES)
    const started = process.cpuUsage()
    const problems = problemsOf(text)
    expect(process.cpuUsage(started).user).toBeLessThan(2_000_000)
    expect(problems.length).toBeGreaterThan(0)
    expect(problems.length).toBeLessThanOrEqual(21)
  })

  it('never throws anything but ConfigError', () => {
    const key = fc.constantFrom(
      'node',
      'image',
      'bird',
      'sockets',
      'window',
      'retention',
      '__proto__',
      '<<',
      '? [a]',
    )
    const token = fc.constantFrom(
      '- ',
      ': ',
      '\n',
      '  ',
      '{',
      '}',
      '[',
      ']',
      '&a ',
      '*a',
      '!!set ',
      '"',
      "'",
      '|',
      '>',
      '%',
      '\t',
      '---\n',
    )
    const text = fc
      .array(fc.oneof(key, token, fc.string({ maxLength: 8 }), fc.double().map(String)))
      .map((parts) => parts.join(''))
    const yaml = fc.dictionary(key, fc.anything({ maxDepth: 2 })).map((value) => {
      try {
        return stringify(value)
      } catch {
        return ''
      }
    })
    const binary = fc.uint8Array({ maxLength: 200 })
    fc.assert(
      fc.property(fc.oneof(text, yaml, binary), (config) => {
        try {
          parse(config)
        } catch (error) {
          expect(error).toBeInstanceOf(ConfigError)
        }
      }),
      { numRuns: 10_000 },
    )
  })
})

function bomb(): string {
  const levels = Array.from(
    { length: 12 },
    (_, i) => `l${i + 1}: &l${i + 1} [${Array(9).fill(`*l${i}`).join(', ')}]`,
  )
  return ['l0: &l0 [x]', ...levels].join('\n')
}
