import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { root } from '../docs/markdown.ts'

it('is what ps and pgrep show, beside the arguments', async () => {
  const argv = [join(root, 'agent/main.ts'), 'daemon', '--config', '/nowhere/agent.yaml']
  const agent = spawn(process.execPath, argv, { stdio: 'ignore' })
  const ended = new Promise((resolve) => agent.once('exit', resolve))
  const said = async (file: string): Promise<string> => await readFile(`/proc/${agent.pid}/${file}`, 'utf8')
  try {
    await expect.poll(() => said('comm')).toBe('calico-agent\n')
    expect(await said('cmdline')).toContain('\0daemon\0--config\0')
  } finally {
    agent.kill('SIGKILL')
    await ended
  }
})
