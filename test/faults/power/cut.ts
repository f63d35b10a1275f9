import { setTimeout as sleep } from 'node:timers/promises'
import { type Child, collect, launch } from '../../lab/exec.ts'
import type { LibraryName } from '../files/libraries.ts'
import type { Guest } from './guest.ts'

/** An emulated machine that shares its cores with others boots in some 10 s. */
const BOOT_MS = 180_000
/** ext4 commits every 5 s by itself: some cuts come after that. */
const LONGEST_MS = 7_000

/**
 * Boots the guest on the disk, and takes its power at a random moment; resolves to the last operation that it said
 * is done. What the guest has not written to the disk is in its own memory, and gone with QEMU; what it has written
 * is the host's.
 */
export async function bootAndCut(guest: Guest, disk: string, library: LibraryName): Promise<number> {
  const machine = launch(qemu(guest, disk, library))
  const ended = collect(machine)
  const first = await Promise.race([
    firstDone(machine),
    ended.then(() => false),
    sleep(BOOT_MS, false, { ref: false }),
  ])
  if (first) await sleep(Math.random() * LONGEST_MS)
  machine.kill('SIGKILL')
  const { stdout, stderr } = await ended
  // A line without its end may lack digits.
  const said = stdout.split('\n').slice(0, -1)
  const done = said.map((line) => /^done (\d+)\r?$/.exec(line)?.[1]).filter((n) => n !== undefined)
  const failed = said.find((line) => line.startsWith('failed'))
  if (!first || failed) throw new Error(`the guest failed: ${failed ?? stdout.slice(-500)}${stderr}`)
  return Number(done.at(-1))
}

function firstDone({ stdout }: Child): Promise<boolean> {
  let said = ''
  return new Promise((resolve) => {
    stdout.on('data', (chunk: string) => {
      said += chunk
      if (/^done 1\r?\n/m.test(said)) resolve(true)
    })
  })
}

/** Emulated, as not every machine lets its guests use the processor's help; it ends when this process does. */
function qemu({ kernel, initrd }: Guest, disk: string, library: LibraryName): string[] {
  const machine = ['-accel', 'tcg', '-m', '512', '-nodefaults', '-display', 'none', '-no-reboot']
  const boot = ['-kernel', kernel, '-initrd', initrd, '-append', `console=ttyS0 quiet panic=-1 -- ${library}`]
  const drive = ['-drive', `file=${disk},format=raw,if=virtio,cache=writeback`]
  const quietly = ['setpriv', '--pdeathsig', 'KILL', 'nice', '-n', '10']
  return [...quietly, 'qemu-system-x86_64', ...machine, '-serial', 'stdio', ...boot, ...drive]
}
