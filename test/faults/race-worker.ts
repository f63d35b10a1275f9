import { setTimeout as sleep } from 'node:timers/promises'
import { acquireHostLock } from '../../agent/adapters/host-lock/host-lock.ts'
import { AgentError } from '../../agent/core/errors.ts'

/** Takes the lock of a state directory, holds it a moment, and says when: `FROM TO`, or `refused CODE`. */
async function main([stateDir = '']: string[]): Promise<void> {
  try {
    await acquireHostLock(stateDir, 'race')
    const from = process.hrtime.bigint()
    await sleep(30)
    console.log(`${from} ${process.hrtime.bigint()}`)
  } catch (error) {
    if (!(error instanceof AgentError)) throw error
    console.log(`refused ${error.exitCode}`)
  }
}

void main(process.argv.slice(2))
