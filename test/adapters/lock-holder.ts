import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { acquireHostLock } from '../../agent/adapters/host-lock/host-lock.ts'

/** Takes the lock in a process of its own, starts a child that outlives it, and says so. */
const [, , stateDir = ''] = process.argv
try {
  await acquireHostLock(stateDir, 'upgrade')
  const child = spawn('sleep', ['30'], { stdio: 'ignore', detached: true })
  console.log(`locked ${child.pid ?? 0}`)
  await sleep(300_000)
} catch (error) {
  console.log(`refused ${(error as Error).message}`)
}
