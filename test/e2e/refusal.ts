import { expect } from 'vitest'
import { HOST_SALT, type Host } from '../lab/index.ts'
import type { AgentResult } from './support.ts'

/** One reason, with its way out; code 2 is a matter of the request, 3 one of the host. */
export interface Refusal {
  code: 2 | 3
  problem: string
  says: string
  fix: string
}

/** Containers and their state, and every file that the agent could have touched. */
export async function snapshot(host: Host): Promise<string[]> {
  const listed = await host.docker.listContainers({ all: true })
  const found = await Promise.all(listed.map(({ Id }) => host.docker.getContainer(Id).inspect()))
  const places = ['/srv', '/etc', '/opt', '/run/calico', '/var/lib/calico', '/var/lib/calico-agent/runs']
  // what tests install on all hosts of the lab at once
  const installed = ['/opt/calico-agent', HOST_SALT].flatMap((path) => ['-path', path, '-prune', '-o'])
  const shown = ['!', '-name', 'bird.ctl', '-printf', '%p %y %m %U %T@\n']
  const files = await host.run(['find', ...places, ...installed, ...shown])
  return [
    ...found.map(({ Id, Name, State, HostConfig }) =>
      JSON.stringify([Id, Name, State, HostConfig.RestartPolicy]),
    ),
    ...files.stdout.split('\n').filter((line) => !/^$|^\/var\/lib\/calico-agent\/runs d|^\/opt d/.test(line)),
  ]
}

export function expectRefusal({ code, report }: AgentResult, refusal: Refusal): void {
  const errors = report.problems.filter(({ severity }) => severity === 'error')
  expect({ code, outcome: report.outcome, changed: report.changed }).toEqual({
    code: refusal.code,
    outcome: 'refused',
    changed: false,
  })
  expect(errors).toMatchObject([
    {
      code: refusal.problem,
      message: expect.stringContaining(refusal.says) as string,
      fix: expect.stringContaining(refusal.fix) as string,
    },
  ])
}
