import { runsDir } from '../../agent/adapters/state-dir.ts'
import { type JournalFiles, RunStore } from '../../agent/journal/store.ts'
import { FakeClock } from '../fakes/clock.ts'

/** Prunes the journals of a real directory, and dies by SIGKILL at its n-th moment: before or after a write. */
const [stateDir = '', moment = ''] = process.argv.slice(2)
let left = Number(moment)

function pass(): void {
  if (--left === 0) process.kill(process.pid, 'SIGKILL')
}

async function around(effect: () => Promise<void>): Promise<void> {
  pass()
  await effect()
  pass()
}

const real = runsDir(stateDir)
const files: JournalFiles = {
  ...real,
  remove: (name) => around(() => real.remove(name)),
  writePruned: (text) => around(() => real.writePruned(text)),
}
await new RunStore(files, new FakeClock()).prune(4)
