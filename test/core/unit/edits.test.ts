import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { UnitSource } from '../../../agent/core/unit/commands.ts'
import { placeFor, readUnit, replaceImage } from '../../../agent/core/unit/image.ts'
import { unitOf } from './units.ts'

const word = fc.stringMatching(/^[a-zA-Z0-9_./=-]{1,12}$/)
const image = fc
  .tuple(fc.stringMatching(/^[a-z0-9]{1,8}$/), fc.stringMatching(/^v[0-9.]{1,6}$/))
  .map(([name, tag]) => `registry.example:5000/calico/${name}:${tag}`)

const option = fc.oneof(
  word.map((value) => [`-e`, `A=${value}`]),
  word.map((value) => [`--env=A=${value}`]),
  word.map((value) => [`-v/a:/${value}`]),
  fc.constantFrom(
    ['-d'],
    ['--rm'],
    ['-it'],
    ['--privileged'],
    ['--net=host'],
    ['--memory', '500M'],
    ['-e', '"B=x y"'],
  ),
  fc.constant(["--label='c d'"]),
)

/** What stands between two words: blanks, or the end of a line that goes on, comments behind it. */
const gap = fc.constantFrom(
  ' ',
  '  ',
  '\t',
  ' \\\n',
  ' \\\n  ',
  '\\\n\t',
  ' \\\n# a comment, "open\n ',
  ' \\\n  ; $x\n\t',
)
const quote = fc.constantFrom('', '"', "'")
const noise = fc.constantFrom(
  '',
  '# ExecStart=/usr/bin/docker run old:1\n',
  '\n\n',
  ' ; %n ${X}\n',
  'Restart=always\n',
  'ExecStop=-/usr/bin/docker stop calico-node\n',
)

interface Unit {
  source: UnitSource
  /** The same, of another image. */
  with: (image: string) => UnitSource
}

const unit: fc.Arbitrary<Unit> = fc
  .record({
    options: fc.array(option, { maxLength: 6 }),
    gaps: fc.array(gap, { minLength: 30, maxLength: 30 }),
    nameAt: fc.nat(6),
    quote,
    prefix: fc.constantFrom('', '-', '+', '!'),
    command: fc.array(
      word.filter((text) => !text.startsWith('-')),
      { maxLength: 3 },
    ),
    before: fc.array(noise, { maxLength: 3 }),
    after: fc.array(noise, { maxLength: 3 }),
    kind: fc.constantFrom('literal', 'environment', 'file', 'drop-in', 'shell', 'composed'),
    old: image,
  })
  .map((parts) => ({ source: build(parts, parts.old), with: (other) => build(parts, other) }))

interface Parts {
  options: readonly (readonly string[])[]
  gaps: string[]
  nameAt: number
  quote: string
  prefix: string
  command: string[]
  before: string[]
  after: string[]
  kind: string
}

function build(parts: Parts, ref: string): UnitSource {
  const { kind, quote: q, gaps } = parts
  const options = parts.options
    .flat()
    .map((text) => (kind === 'shell' ? text.replaceAll(/["']/g, '').replace(' ', '_') : text))
  const named = [...parts.options.keys()].includes(parts.nameAt)
    ? parts.options.flatMap((one, i) => (i === parts.nameAt ? ['--name=calico-node', ...one] : one))
    : ['--name', 'calico-node', ...options]
  const args = kind === 'shell' ? ['--name=calico-node', ...options] : named
  const variable = kind === 'environment' || kind === 'file' || kind === 'drop-in'
  const token = variable ? '${IMAGE}' : kind === 'composed' ? `registry.example:5000/calico/\${REST}` : ref
  const words = ['docker', 'run', ...args, kind === 'shell' ? token : `${q}${token}${q}`, ...parts.command]
  const joined = words.map((text, i) => (i === 0 ? text : `${gaps[i % gaps.length] ?? ' '}${text}`)).join('')
  const line = kind === 'shell' ? `/bin/sh -c "${joined}"` : `/usr/bin/${joined}`
  const set = `Environment=OTHER=1 "IMAGE=${ref}"\n`
  const text = [
    '[Unit]\nAfter=docker.service\n[Service]\nRemainAfterExit=yes\n',
    ...parts.before,
    kind === 'environment' ? set : '',
    `ExecStart=${parts.prefix}${line}\n`,
    ...parts.after,
  ].join('')
  const rest = ref.split('/').at(-1) ?? ''
  const env = { file: `# image\nIMAGE=${q}${ref}${q}\nX='1 2'\n`, composed: `REST=${rest}\n` }[kind]
  return unitOf(text, {
    ...(env !== undefined && { env }),
    dropIns: kind === 'drop-in' ? { '10.conf': `[Service]\n${set}` } : {},
  })
}

it('changing the image changes the token alone, and the unit then names the new image', () => {
  fc.assert(
    fc.property(unit, image, (generated, next) => {
      const reading = readUnit(generated.source, 'calico-node')
      if (reading.kind !== 'runs') throw new Error(JSON.stringify(reading))
      const place = placeFor(reading.run, next)
      const after = mapTexts(generated.source, (path, text) =>
        path === place?.file ? replaceImage(text, place, next) : text,
      )
      expect(after).toEqual(generated.with(next))
      expect(readUnit(after, 'calico-node')).toMatchObject({ kind: 'runs', run: { image: next } })
    }),
    { numRuns: 500 },
  )
})

it('no unit file makes the reader throw', () => {
  const soup = fc.array(
    fc.constantFrom(
      '[Service]',
      '\n',
      'ExecStart=',
      'docker run',
      ' --name=calico-node',
      '\\',
      '"',
      "'",
      '$',
      '${',
      '}',
      '%',
      ' -e ',
      ';',
      'x:1',
      'sh -c ',
      '$(',
      '`',
      '=',
    ),
    { maxLength: 40 },
  )
  fc.assert(
    fc.property(soup, soup, (text, env) => {
      const reading = readUnit(unitOf(text.join(''), { env: env.join('') }), 'calico-node')
      expect(['runs', 'refused', 'other']).toContain(reading.kind)
    }),
    { numRuns: 1000 },
  )
})

function mapTexts(source: UnitSource, change: (path: string, text: string) => string): UnitSource {
  const map = (files: UnitSource['fragments']) =>
    files.map(({ path, text }) => ({ path, text: change(path, text) }))
  return { ...source, fragments: map(source.fragments), environmentFiles: map(source.environmentFiles) }
}
