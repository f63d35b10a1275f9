import { describe, expect, it } from 'vitest'
import { codeRows, section, textOf } from './markdown.ts'

const documentation = textOf('docs/config-management.md')

describe('docs/config-management.md', () => {
  it('has each variable of the Ansible role, and no other', () => {
    const defaults = textOf('scripts/ansible/roles/calico_agent/defaults/main.yml')
    const known = [...defaults.matchAll(/^(?:# )?(calico_agent_\w+):/gm)].map(([, name = '']) => name)
    expect(codeRows(section(documentation, '## Ansible')).sort()).toEqual(known.sort())
  })

  it('has each function of the Salt modules, and no other', () => {
    const modules = ['_modules', '_states']
      .map((kind) => textOf(`scripts/salt/${kind}/calico_agent.py`))
      .join('\n')
    const known = [...modules.matchAll(/^def ([a-z]\w*)\(/gm)].map(([, name = '']) => `calico_agent.${name}`)
    expect(codeRows(section(documentation, '## Salt')).sort()).toEqual(known.sort())
  })
})

describe('docs/docker.md', () => {
  it('says why of each right that the command of the Dockerfile gives', () => {
    const [command = ''] = /docker run [\s\S]*? status$/m.exec(textOf('Dockerfile')) ?? []
    const given = command.match(/-v \S+|--(?!rm)\S+/g) ?? []
    expect(given.length).toBeGreaterThan(4)
    expect(codeRows(textOf('docs/docker.md')).sort()).toEqual(given.sort())
  })
})
