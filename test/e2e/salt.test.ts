// The Salt modules on a host, against its agent: by the tests that they have of their own, run with the host's Python.

import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { expect, it } from 'vitest'
import { costOf, expectNoCost, image, program, world } from './support.ts'

const root = resolve(import.meta.dirname, '../..')

it('say in test mode what would change, and nothing where the image runs already', async () => {
  const at = await world()
  const { host } = at
  const files = [
    ['scripts/salt/_modules/calico_agent.py', '/tmp/salt/_modules/calico_agent.py'],
    ['scripts/salt/_states/calico_agent.py', '/tmp/salt/_states/calico_agent.py'],
    ['test/salt/salt_test.py', '/tmp/salt/salt_test.py'],
  ] as const
  for (const [from, to] of files) await host.writeFile(to, await readFile(join(root, from)))
  const env = { SALT_MODULES: '/tmp/salt', CALICO_IMAGE: image('v2.6.12') }
  const cost = await costOf(at, () => host.run(['python3', '/tmp/salt/salt_test.py', '--verbose'], { env }))
  await host.ok(['rm', '-rf', '/tmp/salt'])
  expectNoCost(cost)
  expect(cost.result.stderr).toMatch(/test_mode_says_what_would_change .*ok/)
  expect(cost.result.stderr).toMatch(/^OK \(skipped=4\)$/m)
  expect(cost.result.code).toBe(0)
})

it('stand in an example state that Jinja and YAML take', async () => {
  const pillar = { calico_agent: { version: '1.2.3', config: { node: { image: 'calico/node:v2.6.12' } } } }
  const script = `import jinja2, json, sys, yaml
print(json.dumps(yaml.safe_load(jinja2.Template(open(sys.argv[1]).read()).render(pillar=json.loads(sys.argv[2])))))`
  const state = join(root, 'scripts/salt/calico_agent/init.sls')
  // Debian's own Python: Ansible brings these two to it.
  const argv = ['/usr/bin/python3', '-c', script, state, JSON.stringify(pillar)] as const
  const { stdout, stderr } = await program([...argv], process.env)
  expect(stderr).toBe('')
  const rendered = JSON.parse(stdout) as Record<string, Record<string, unknown>>
  expect(Object.keys(rendered)).toEqual(['calico-agent', '/etc/calico-agent/agent.yaml', 'calico'])
  expect(JSON.stringify(rendered)).toContain('salt://calico_agent/files/calico-agent_1.2.3_amd64.deb')
  expect(JSON.stringify(rendered)).toContain('calico/node:v2.6.12')
})
