import { execFileSync, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { parseConfig } from '../../agent/config/parse.ts'
import { defaultConfig } from '../../scripts/packaging/default-config.ts'
import { manPage } from '../../scripts/packaging/man-page.ts'
import { bundledPackages } from '../../scripts/packaging/notices.ts'
import { codeRows, root, section, textOf } from '../docs/markdown.ts'

describe('the default config', () => {
  const documentation = textOf('docs/configuration.md')
  const config = defaultConfig(documentation)
  // one example shows the keys that the operator names
  const keys = [
    ...new Set(codeRows(section(documentation, '## Keys')).map((key) => key.replace(/\.RELEASE\..*$/, ''))),
  ]

  it('is taken as it stands, and names no component', () => {
    parseConfig(Buffer.from(config), 'agent.yaml')
    expect(['apply', 'window']).toEqual(expect.arrayContaining(Object.keys(parse(config) as object)))
  })

  it('has every key once', () => {
    const everything: unknown = parse(config.replaceAll(/^#(?! \S)/gm, ''))
    for (const key of keys) expect(at(everything, key.split('.')), key).toBeDefined()
    expect(config.match(/^#?(?: {2})*[\w]+: ?\S/gm)?.length).toBe(keys.length)
  })

  it.each(keys)('has %s in a form that is taken', (key) => {
    const path = key.split('.')
    const everything: unknown = parse(config.replaceAll(/^#(?! \S)/gm, ''))
    const alone = path.reduceRight<unknown>((value, name) => ({ [name]: value }), at(everything, path))
    // a hosted install is changed by the API server
    const needed = key.startsWith('hosted.') ? { kubernetes: {} } : {}
    parseConfig(Buffer.from(JSON.stringify({ ...needed, ...(alone as object) })), 'one-key.yaml')
  })

  const at = (value: unknown, path: string[]): unknown =>
    path.reduce((inner, key) => (inner as Record<string, unknown> | undefined)?.[key], value)
})

describe('the man page', () => {
  let page = ''
  beforeAll(() => {
    const help = (...argv: string[]): string =>
      execFileSync(process.execPath, [join(root, 'agent/main.ts'), ...argv, '--help'], { encoding: 'utf8' })
    page = manPage('1.2.3', textOf('docs/commands.md'), help)
  })

  /** As man prints it, in one line. */
  function printed(text: string): { shown: string; warnings: string } {
    const { stdout, stderr } = spawnSync('groff', ['-man', '-Tascii', '-ww', '-rLL=100n', '-P-c'], {
      input: text,
      encoding: 'utf8',
    })
    return { shown: stdout.replaceAll(/.\x08/g, '').replaceAll(/\s+/g, ' '), warnings: stderr }
  }

  it('is what groff takes without a warning', () => {
    expect(printed(page).warnings).toBe('')
    expect(printed(`${page}.NOSUCH\n`).warnings).not.toBe('')
  })

  it('has each command, option and exit code', () => {
    const { shown } = printed(page)
    const documentation = textOf('docs/commands.md')
    const commands = [...documentation.matchAll(/^## (agent [a-z]+)$/gm)].map(([, command = '']) => command)
    const options = [...documentation.matchAll(/^\| `(--[a-z-]+)/gm)].map(([, option = '']) => option)
    expect(commands.length).toBeGreaterThan(5)
    for (const word of [...commands, ...options, 'rolled back, and verified', 'DOCKER_CONFIG'])
      expect(shown).toContain(word)
  })
})

describe('the licence notices', () => {
  it('are of each package whose files were read, nested ones of their own', () => {
    const files = ['a/lib/x.js', 'a/node_modules/b/y.js', '@c/d/index.js', 'a/z.js']
    expect(bundledPackages(['agent/main.ts', ...files.map((file) => `node_modules/${file}`)])).toEqual([
      'node_modules/@c/d',
      'node_modules/a',
      'node_modules/a/node_modules/b',
    ])
  })
})
