// The machine from which docs/fleet.md is typed: it reaches the hosts of the lab by what stands in for ssh and scp.

import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { section, textOf } from '../docs/markdown.ts'
import { enter, type Host } from '../lab/index.ts'
import { program } from './program.ts'
import type { Names } from './typed-page.ts'

/** The section that takes an operator to a rollout, and its end, which is about a host that was lost. */
export function fleetStory(): { rollout: string; lost: string } {
  const story = section(textOf('docs/fleet.md'), '## Three hosts, from one config to a rollout')
  const heading = '### A host that never comes back'
  return { rollout: story.slice(0, story.indexOf(heading)), lost: section(story, heading) }
}

export function fleetNames(
  hosts: readonly Host[],
  { endpoint, image }: { endpoint: string; image: string },
): Names {
  const members = [10, 11, 12].map((last) => `https://192.0.2.${last}:2379`).join(', ')
  return {
    ...Object.fromEntries(hosts.map(({ name }, i) => [`host${i + 1}`, name])),
    [members]: endpoint,
    'quay.io/calico/node': image.replace(/:[^:]*$/, ''),
  }
}

/** Each takes what the page gives it: a host to go to, and a command or a directory there. */
function programs(hosts: readonly Host[]): Record<string, string> {
  const ways = hosts.map(({ name, pid }) => `${name}) exec ${enter(pid).join(' ')} "\${@:2}" ;;`)
  const on = `on() { case $1 in ${ways.join(' ')} esac; }`
  return {
    ssh: `${on}\non "\${1#root@}" bash -c "\${*:2}"`,
    scp: `${on}\nto=\${2#root@}; on "\${to%%:*}" sh -c 'cat >"$1$2"' sh "\${to#*:}" "$1" <"$1"`,
  }
}

export class OperatorsMachine {
  readonly #directory: string

  static async make(hosts: readonly Host[]): Promise<OperatorsMachine> {
    const directory = await mkdtemp(join(tmpdir(), 'calico-agent-fleet-'))
    for (const [name, script] of Object.entries(programs(hosts)))
      await writeFile(join(directory, name), `#!/bin/bash\n${script}\n`, { mode: 0o755 })
    return new OperatorsMachine(directory)
  }

  private constructor(directory: string) {
    this.#directory = directory
  }

  /** Throws unless it succeeds. */
  async type(line: string): Promise<string> {
    const env = { ...process.env, PATH: `${this.#directory}:${process.env['PATH'] ?? ''}` }
    const { code, stdout, stderr } = await program(
      ['bash', '-ec', 'cd "$0"; eval "$1"', this.#directory, line],
      env,
    )
    if (code === 0) return stdout
    throw new Error(`cannot type ${line}: exit ${code}: ${stdout}${stderr}`)
  }

  /** The first block of YAML is the file, each further one goes to its end. */
  async edit(yaml: string): Promise<void> {
    await appendFile(join(this.#directory, 'agent.yaml'), yaml)
  }

  async remove(): Promise<void> {
    await rm(this.#directory, { recursive: true })
  }
}

/** A fleet's view is the same whichever host comes first. */
export function anyOrder(view: string): string {
  return view
    .split('\n')
    .map((line) => line.replace(/^host\d+ +/, 'HOST '))
    .sort()
    .join('\n')
}
