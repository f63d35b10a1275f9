import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { codeRows, root, section, textOf } from './markdown.ts'

const documentation = textOf('docs/config-management.md')
const rowsOf = (heading: string): string[] => codeRows(section(documentation, heading)).sort()

/** The names of the files of a directory that end so, without the ending. */
const filesIn = (directory: string, ending: string): string[] =>
  readdirSync(join(root, directory))
    .filter((name) => name.endsWith(ending))
    .map((name) => basename(name, ending))
    .sort()

describe('docs/config-management.md', () => {
  const role = 'scripts/ansible/roles/calico_agent'

  it('has each playbook and module of the Ansible collection, and no other', () => {
    const playbooks = filesIn('scripts/ansible/playbooks', '.yml')
    expect(rowsOf('### Playbooks')).toEqual(playbooks.map((name) => `calico_host.agent.${name}`))
    const modules = filesIn('scripts/ansible/plugins/modules', '.py')
    expect(rowsOf('### Role and modules')).toEqual(modules.map((name) => `calico_host.agent.${name}`))
  })

  it('is about a collection that has the version of the agent', () => {
    const { version } = parse(textOf('scripts/ansible/galaxy.yml')) as { version: string }
    expect(version).toBe((JSON.parse(textOf('package.json')) as { version: string }).version)
  })

  it('has each variable of the Ansible role, and no other', () => {
    const defaults = textOf(`${role}/defaults/main.yml`)
    const known = [...defaults.matchAll(/^(?:# )?(calico_agent_\w+):/gm)].map(([, name = '']) => name)
    expect(rowsOf('### Variables')).toEqual(known.sort())
    const { argument_specs: specs } = parse(textOf(`${role}/meta/argument_specs.yml`)) as {
      argument_specs: Record<string, { options: object }>
    }
    const checked = Object.values(specs).flatMap(({ options }) => Object.keys(options))
    expect([...new Set(checked)].sort()).toEqual(known.sort())
  })

  it('has each key of the Salt pillar, and no other', () => {
    const directory = 'scripts/salt/calico_agent'
    const states = readdirSync(join(root, directory)).map((name) => textOf(`${directory}/${name}`))
    const read = [...states.join('\n').matchAll(/agent(?:\[|\.get\()'(\w+)'/g)].map(([, name = '']) => name)
    expect(rowsOf('### Pillar')).toEqual([...new Set(read)].sort())
  })

  it('has each state and function of Salt, and no other', () => {
    const modules = ['_modules', '_states']
      .map((kind) => textOf(`scripts/salt/${kind}/calico_agent.py`))
      .join('\n')
    const functions = [...modules.matchAll(/^def ([a-z]\w*)\(/gm)].map(([, name = '']) => name)
    const states = filesIn('scripts/salt/calico_agent', '.sls').filter((name) => name !== 'init')
    const known = [...functions, ...states].map((name) => `calico_agent.${name}`)
    expect(rowsOf('### States and functions')).toEqual(['calico_agent', ...known.sort()])
  })
})

describe('docs/docker.md', () => {
  it('says why of each right that its command gives', () => {
    const [command = ''] = /docker run [\s\S]*? status$/m.exec(textOf('docs/docker.md')) ?? []
    const given = command.match(/-v \S+|--(?!rm)\S+/g) ?? []
    expect(given.length).toBeGreaterThan(4)
    expect(codeRows(textOf('docs/docker.md')).sort()).toEqual(given.sort())
  })
})
