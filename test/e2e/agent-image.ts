// The agent's own image, as the Dockerfile makes it.

import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { baseRootTar, type Host } from '../lab/index.ts'
import { bring } from './packages.ts'
import { program } from './program.ts'

const root = resolve(import.meta.dirname, '../..')

/** Built on a host without a network, from dist/agent. */
export async function buildImage(host: Host, tag: string): Promise<void> {
  const base = 'lab/debian:base'
  await onStdin(host, await baseRootTar(), `docker import - ${base}`)
  const context = join(tmpdir(), `calico-agent-context-${process.pid}.tar`)
  const parts = ['Dockerfile', '.dockerignore', 'dist/agent']
  await program(['tar', '--create', `--file=${context}`, `--directory=${root}`, ...parts], process.env)
  const args = `--network=none --build-arg BASE=${base} --build-arg AGENT=prebuilt --tag ${tag}`
  await onStdin(host, context, `DOCKER_BUILDKIT=1 docker build ${args} -`)
  await rm(context)
}

/** The host's shell with a file as its input. */
async function onStdin(host: Host, file: string, line: string): Promise<void> {
  const path = await bring(host, file)
  await host.ok(['sh', '-c', `${line} <"$0" && rm "$0"`, path])
}
