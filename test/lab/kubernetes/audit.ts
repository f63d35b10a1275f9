import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** User of the agents that run on hosts. */
export const AGENT_USER = 'calico-agent'

const policy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'Metadata', users: [AGENT_USER] }, { level: 'None' }],
}

const logOf = (directory: string): string => join(directory, 'audit.log')

/** Flags of an apiserver that writes down each request of the agents. */
export async function auditFlags(directory: string): Promise<string[]> {
  const file = join(directory, 'audit-policy.json')
  await writeFile(file, JSON.stringify(policy))
  return ['--audit-policy-file', file, '--audit-log-path', logOf(directory)]
}

/** How many requests of the agents it has answered. */
export async function requestsSeen(directory: string): Promise<number> {
  const log = await readFile(logOf(directory), 'utf8').catch(() => '')
  return log.split('\n').length - 1
}
