import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Lab } from '../lab/index.ts'
import { FAULTY_AGENT } from './trial.ts'

const root = join(import.meta.dirname, '../..')

/** Builds the executable with fault points and puts it on all hosts. Several workers may do so at once. */
export async function installFaultyAgent(lab: Lab): Promise<void> {
  const out = await mkdtemp(join(tmpdir(), 'calico-agent-faulty-'))
  try {
    const entry = join(root, 'test/faults/agent.ts')
    const argv = [join(root, 'scripts/build.ts'), '--entry', entry, '--out', out]
    await promisify(execFile)(process.execPath, argv)
    await lab.installAgent(join(out, 'agent'), FAULTY_AGENT)
  } finally {
    await rm(out, { recursive: true })
  }
}
