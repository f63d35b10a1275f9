import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** Builds the executable with fault points; resolves to its path. */
export async function buildFaultyAgent(root: string): Promise<string> {
  const out = join(root, '.cache/faulty-agent')
  const argv = [join(root, 'scripts/build.ts'), '--entry', join(root, 'test/faults/agent.ts'), '--out', out]
  await promisify(execFile)(process.execPath, argv)
  return join(out, 'agent')
}
