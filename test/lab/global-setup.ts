import { join } from 'node:path'
import { pathExists } from 'fs-extra/esm'
import type { TestProject } from 'vitest/node'
import { bootLab, healthyHosts } from './boot.ts'
import { downLab } from './remove.ts'

/** Boots two hosts per worker, and a spare one, before the e2e tests. A lab that ran before, or LAB_KEEP, keeps it afterwards. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const keep = (await healthyHosts()) > 0 || process.env['LAB_KEEP'] !== undefined
  const lab = await bootLab({ hosts: 2 * project.config.maxWorkers + 1 })
  const agent = process.env['AGENT_BIN'] ?? join(project.config.root, 'dist/agent')
  if (await pathExists(agent)) await lab.installAgent(agent)
  return async () => {
    if (!keep) await downLab()
  }
}
