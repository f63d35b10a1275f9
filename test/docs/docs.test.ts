import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse as parseYaml } from 'yaml'
import { z } from 'zod'
import { parseConfig } from '../../agent/config/parse.ts'
import { configSchema } from '../../agent/config/schema.ts'
import { AgentError, ExitCode } from '../../agent/core/errors.ts'
import { checkAllowed } from '../../agent/core/preflight.ts'
import { releaseImages } from '../../agent/core/release/releases.ts'
import { run } from '../commands/environment.ts'
import { anchors, blocks, codeRows, relativeLinks, root, rows, section, textOf } from './markdown.ts'
import {
  agentSources,
  environmentVariables,
  exitConstants,
  parse,
  problemCodes,
  propertyNames,
} from './sources.ts'

const commandsDoc = textOf('docs/commands.md')
const configurationDoc = textOf('docs/configuration.md')
const troubleshootingDoc = textOf('docs/troubleshooting.md')
const readme = textOf('README.md')
const contributing = textOf('CONTRIBUTING.md')

/** Sorted and each once, so that a difference is readable. */
function set<T extends string | number>(values: Iterable<T>): T[] {
  return [...new Set(values)].sort()
}

/** Commands below a command. */
const BELOW: Record<string, string[]> = {
  fleet: ['status', 'release', 'halt', 'resume'],
  config: ['check', 'show'],
}

describe('docs/commands.md', () => {
  const help = async (...argv: string[]): Promise<string> => (await run([...argv, '--help'])).text

  async function commandNames(): Promise<string[]> {
    const names = [...(await help()).matchAll(/^ {2}([a-z]+) /gm)].map(([, name = '']) => name)
    expect(names).not.toEqual([])
    return names
  }

  function optionsIn(text: string): string[] {
    return codeRows(text)
      .flatMap((cell) => /^--[a-z-]+/.exec(cell)?.[0] ?? [])
      .concat([...text.matchAll(/^\| `(--[a-z-]+)`, `-\w`/gm)].map(([, option = '']) => option))
  }

  it('has a section for each command, and for no other', async () => {
    const sections = [...commandsDoc.matchAll(/^## calico-agent (.+)$/gm)].map(([, name = '']) => name)
    expect(set(sections)).toEqual(set(await commandNames()))
  })

  it('has each option of each command, and no other', async () => {
    const all = optionsIn(section(commandsDoc, '## Common options'))
    const ofYargs = all.filter((option) => ['--help', '--version'].includes(option))
    for (const name of await commandNames()) {
      const common = name === 'completion' ? ofYargs : all
      const ways = BELOW[name]?.map((what) => [name, what]) ?? [[name]]
      const texts = await ways.reduce<Promise<string>>(
        async (all, way) => (await all) + (await help(...way)),
        Promise.resolve(''),
      )
      const said = [...texts.matchAll(/^ {2}(--[a-z-]+)/gm)].map(([, one = '']) => one)
      const own = optionsIn(section(commandsDoc, `## calico-agent ${name}`))
      expect(set([...common, ...own]), name).toEqual(set(said))
    }
  })

  it('has each exit code, and no other', () => {
    const documented = rows(section(commandsDoc, '## Exit codes')).map(([code]) => Number(code))
    const known = [...Object.values(ExitCode), ...agentSources().flatMap(exitConstants)]
    expect(set(documented)).toEqual(set(known))
  })

  it('has each environment variable, and no other', () => {
    const documented = codeRows(section(commandsDoc, '### Environment'))
    expect(set(documented)).toEqual(set(agentSources().flatMap(environmentVariables)))
  })

  it.each([
    ['### upgrade, plan, prefetch, rollback, resume', 'agent/core/report/report.ts'],
    ['### upgrade, plan, prefetch, rollback, resume', 'agent/core/errors.ts'],
    ['### status', 'agent/core/report/status.ts'],
    ['### doctor', 'agent/core/report/doctor.ts'],
    ['### history', 'agent/core/report/history.ts'],
    ['### gc', 'agent/core/report/gc.ts'],
    ['### config check', 'agent/core/report/config-check.ts'],
    ['### config show', 'agent/core/report/config-show.ts'],
    ['### fleet status', 'agent/core/fleet/host-record.ts'],
    ['### metrics', 'agent/core/report/metrics.ts'],
  ])('%s has each field of %s', (heading, source) => {
    const fields = codeRows(section(commandsDoc, heading)).flatMap((path) => path.split(/\.|\[\]\.?/))
    expect(propertyNames(parse(source)).filter((name) => !fields.includes(name))).toEqual([])
  })

  it('has examples that are JSON', () => {
    const examples = blocks(commandsDoc, 'json')
    expect(examples.length).toBeGreaterThan(0)
    for (const example of examples) expect(() => JSON.parse(example) as unknown).not.toThrow()
  })
})

describe('docs/configuration.md', () => {
  interface Schema {
    properties?: Record<string, Schema>
    /** Of a mapping whose keys the operator chooses: RELEASE stands for them. */
    additionalProperties?: Schema | boolean
    default?: unknown
    minimum?: number
    maximum?: number
    enum?: string[]
  }

  function leaves(schema: Schema, path: string[] = []): [string, Schema][] {
    if (typeof schema.additionalProperties === 'object' && schema.additionalProperties.properties)
      return leaves(schema.additionalProperties, [...path, 'RELEASE'])
    if (!schema.properties) return [[path.join('.'), schema]]
    return Object.entries(schema.properties).flatMap(([key, inner]) => leaves(inner, [...path, key]))
  }

  const known = new Map(leaves(z.toJSONSchema(configSchema, { io: 'input' }) as Schema))
  const table = rows(section(configurationDoc, '## Keys'))

  it('has each key, and no other', () => {
    expect(set(codeRows(section(configurationDoc, '## Keys')))).toEqual(set(known.keys()))
  })

  it.each(table)('has the default and the limits of %s', (key = '', type = '', value = '') => {
    const {
      default: byDefault,
      minimum,
      maximum,
      enum: words = [],
    } = known.get(key.replaceAll('`', '')) ?? {}
    expect(value === '-' ? undefined : parseYaml(value.replaceAll('`', ''))).toEqual(byDefault)
    for (const limit of [minimum, maximum, ...words]) {
      if (limit !== undefined) expect(type).toMatch(new RegExp(`\\b${limit}\\b`))
    }
  })

  it('has examples that the agent takes', () => {
    const examples = [configurationDoc, readme].flatMap((text) => blocks(text, 'yaml'))
    expect(examples.length).toBeGreaterThan(0)
    for (const example of examples) parseConfig(Buffer.from(example), 'example.yaml')
  })

  it('has the release table as it is built in', () => {
    const documented = rows(section(configurationDoc, '## Releases')).flatMap(([releases = '', ...cells]) =>
      [...releases.matchAll(/\d+\.\d+\.\d+/g)].map(([release]) => [
        release,
        ...cells.map((cell) => (cell.split(' ').at(-1) ?? '').replace('own', `v${release}`)),
        /kube-\w+(-\w+)?/.exec(releases.endsWith('later') ? 'kube-controllers' : cells.join())?.[0],
      ]),
    )
    expect(documented.length).toBeGreaterThan(20)
    for (const [release = '', ...tags] of documented) {
      const images = releaseImages(release, { registry: 'quay.io', releases: {} })
      const { node = '', cni = '', controllers = '' } = images ?? {}
      const name = /kube-[\w-]+/.exec(controllers)?.[0]
      expect([...[node, cni, controllers].map((image) => image.split(':')[1]), name], release).toEqual(tags)
    }
  })

  it('has a full example with every key', () => {
    const examples = blocks(section(configurationDoc, '## A full example'), 'yaml')
    const paths = examples.flatMap((example) => leafPaths(parseYaml(example)))
    expect(set(paths)).toEqual(set(known.keys()))
  })

  function leafPaths(value: unknown, path: string[] = []): string[] {
    const isLeaf = typeof value !== 'object' || value === null || Array.isArray(value)
    if (isLeaf || known.has(path.join('.'))) return [path.join('.')]
    const names = path[0] === 'releases' && path.length === 1 ? () => 'RELEASE' : (key: string) => key
    return Object.entries(value).flatMap(([key, inner]) => leafPaths(inner, [...path, names(key)]))
  }
})

describe('docs/troubleshooting.md', () => {
  it('has each code of the agent, and no other', () => {
    const documented = codeRows(section(troubleshootingDoc, '## Codes'))
    expect(set(documented)).toEqual(set(agentSources().flatMap(problemCodes)))
  })

  it('says of each code what it says, why, and the way out', () => {
    const short = rows(section(troubleshootingDoc, '## Codes')).filter(
      (cells) => cells.length !== 4 || cells.some((cell) => cell === ''),
    )
    expect(short).toEqual([])
  })

  it('has each rule that --allow overrides, and no other', () => {
    const rules = codeRows(section(troubleshootingDoc, '## Rules that --allow overrides'))
    expect(rules.join(', ')).toBe(knownRules())
  })

  /** Told by the agent to whoever names another. */
  function knownRules(): string {
    try {
      checkAllowed(['no such rule'])
    } catch (error) {
      if (error instanceof AgentError) return error.fix.replace('rules: ', '')
    }
    return 'none is refused'
  }
})

describe('README.md and CONTRIBUTING.md', () => {
  it('names each runtime package, and no other', () => {
    const { dependencies } = JSON.parse(textOf('package.json')) as { dependencies: Record<string, string> }
    expect(codeRows(section(contributing, '## Built on'))).toEqual(Object.keys(dependencies))
  })

  it('names each command, and no other', () => {
    const commands = [...commandsDoc.matchAll(/^## (calico-agent .+)$/gm)].map(([, name = '']) => name)
    const named = codeRows(section(readme, '## Commands')).map((cell) =>
      cell.split(' ').slice(0, 2).join(' '),
    )
    expect(set(named)).toEqual(set(commands))
  })

  it('shows a layout that is there', () => {
    const [layout = ''] = blocks(section(contributing, '## Layout'), 'text')
    const paths = [...layout.matchAll(/^\S+/gm)].map(([path]) => path)
    expect(paths.length).toBeGreaterThan(0)
    expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([])
  })
})

describe('links', () => {
  const documents = readdirSync(root)
    .concat(readdirSync(join(root, 'docs')).map((name) => `docs/${name}`))
    .filter((path) => path.endsWith('.md'))

  it.each(documents)('of %s lead somewhere', (document) => {
    const lost = relativeLinks(textOf(document)).filter(({ path, anchor }) => {
      const target = path === '' ? document : relative(root, join(root, dirname(document), path))
      if (!existsSync(join(root, target))) return !isWrittenByScript(target)
      return anchor !== '' && !anchors(textOf(target)).includes(anchor)
    })
    expect(lost).toEqual([])
  })

  it('that the agent prints lead somewhere', () => {
    const named = agentSources().flatMap((source) =>
      [...source.text.matchAll(/\bdocs\/[\w-]+\.md\b/g)].flat(),
    )
    expect(named.length).toBeGreaterThan(0)
    expect(set(named).filter((path) => !existsSync(join(root, path)))).toEqual([])
  })

  /** A page of figures may not have been measured yet. */
  function isWrittenByScript(target: string): boolean {
    return readdirSync(join(root, 'scripts'))
      .map((name) => join(root, 'scripts', name))
      .some((path) => statSync(path).isFile() && readFileSync(path, 'utf8').includes(target))
  }
})
