// The agent's own image in the lab's registry, and scripts/kubernetes/ with it.

import { readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { baseRootTar, type Host, type Kubernetes } from '../lab/index.ts'
import { bring } from './packages.ts'
import { lab, program } from './support.ts'

const root = resolve(import.meta.dirname, '../..')
const manifests = join(root, 'scripts/kubernetes')

export const AGENT_IMAGE = `${lab.registry.address}/calico-host-agent:e2e`
export const NAMESPACE = 'calico-agent'

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

/** `kubectl apply -f scripts/kubernetes`, with the image and the line of the config that an operator sets. */
export async function applyAgent(kubernetes: Kubernetes, line: string): Promise<void> {
  const names = (await readdir(manifests)).filter((name) => name.endsWith('.yaml')).sort()
  const texts = await Promise.all(names.map((name) => readFile(join(manifests, name), 'utf8')))
  const text = texts
    .join('\n---\n')
    .replace(/image: .*calico-host-agent.*/, `image: ${AGENT_IMAGE}`)
    // a test need not show how long the defaults are
    .replace('# release: v3.17.6', `${line}\n    window: 30\n    settle: 2`)
  await kubernetes.kubectl(['apply', '-f', '-'], text)
}

export async function untilAgentsReady(kubernetes: Kubernetes): Promise<void> {
  await kubernetes.kubectl(['rollout', 'status', '-n', NAMESPACE, 'daemonset/calico-agent', '--timeout=120s'])
}

/** What an earlier test left of it. */
export async function removeAgent(kubernetes: Kubernetes): Promise<void> {
  const gone = ['--ignore-not-found', '--wait=false']
  await kubernetes.kubectl(['delete', '-n', NAMESPACE, 'daemonset', 'calico-agent', ...gone])
  await kubernetes.kubectl(['delete', '-n', NAMESPACE, 'pods', '--all', '--force', '--grace-period=0'])
  await kubernetes.kubectl(['delete', 'namespace', NAMESPACE, '--ignore-not-found', '--timeout=60s'])
}
