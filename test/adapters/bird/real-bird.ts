import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../../lab/free-port.ts'

/** A peer that never comes, in Calico's shape; passive and without kernel protocol: nothing leaves this BIRD. */
const config = (port: number): string => `
router id 192.0.2.1;
listen bgp address 127.0.0.1 port ${port};
protocol device { }
template bgp bgp_template {
  local as 64512; multihop; passive on; graceful restart; source address 127.0.0.1;
  import all; export none;
}
protocol bgp Mesh_192_0_2_9 from bgp_template { neighbor 192.0.2.9 as 64512; }
`

/** A real BIRD 1.6 that recovers (-R) and so waits for its peer. */
export async function startBird(dir: string): Promise<{ socket: string; process: ChildProcess }> {
  const socket = join(dir, 'bird.ctl')
  // it takes its protocols down for good when it cannot listen
  await writeFile(join(dir, 'bird.cfg'), config(await freePort()))
  const argv = ['-R', '-f', '-s', socket, '-P', join(dir, 'bird.pid'), '-c', join(dir, 'bird.cfg')]
  const process = spawn('/usr/sbin/bird', argv, { stdio: 'ignore' })
  while (process.exitCode === null && !(await accepts(socket))) await sleep(20)
  return { socket, process }
}

export async function killBird(process: ChildProcess): Promise<void> {
  if (process.exitCode !== null || process.signalCode !== null) return
  process.kill('SIGKILL')
  await once(process, 'exit')
}

async function accepts(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect(path, () => {
    resolve(true)
  })
  socket.on('error', () => {
    resolve(false)
  })
  const accepted = await promise
  socket.destroy()
  return accepted
}
