// The agent's own image, as the Dockerfile makes it.

import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { blocks, root, textOf } from '../docs/markdown.ts'
import { baseRootTar, type Host } from '../lab/index.ts'
import { bring } from './packages.ts'
import { program } from './program.ts'

/** Built on a host without a network, from dist/agent, by the line of docs/docker.md. */
export async function buildImage(host: Host, tag: string): Promise<void> {
  const base = 'lab/debian:base'
  await onStdin(host, await baseRootTar(), `docker import - ${base}`)
  const context = join(tmpdir(), `calico-agent-context-${process.pid}.tar`)
  const parts = ['Dockerfile', '.dockerignore', 'dist/agent']
  await program(['tar', '--create', `--file=${context}`, `--directory=${root}`, ...parts], process.env)
  const [lines = ''] = blocks(textOf('docs/docker.md'), 'sh')
  const line = lines.split('\n').find((one) => one.includes('AGENT=prebuilt')) ?? ''
  const typed = line
    .replace(/ \. #.*/, ` --network=none --build-arg BASE=${base} -`)
    .replace(' -t calico-host-agent', ` -t ${tag}`)
  await onStdin(host, context, `DOCKER_BUILDKIT=1 ${typed}`)
  await rm(context)
}

/** The host's shell with a file as its input. */
async function onStdin(host: Host, file: string, line: string): Promise<void> {
  const path = await bring(host, file)
  await host.ok(['sh', '-c', `${line} <"$0" && rm "$0"`, path])
}
