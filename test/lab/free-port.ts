import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below the range from which the kernel gives ports to whoever connects (ip_local_port_range), and apart for each worker. */
const [FIRST, OF_WORKER, WORKERS] = [10_000, 1_000, 20] as const

let next = Math.floor(Math.random() * OF_WORKER)

/** A TCP port of 127.0.0.1 that nobody listens on, and that nobody is given before it is used. */
export async function freePort(): Promise<number> {
  const first = FIRST + (Number(process.env['VITEST_POOL_ID'] ?? 0) % WORKERS) * OF_WORKER
  for (;;) {
    next = (next + 1) % OF_WORKER
    if (await isFree(first + next)) return first + next
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}
