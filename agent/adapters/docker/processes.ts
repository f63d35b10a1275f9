import type { ContainerProcess } from '../../core/docker/felix.ts'
import type { Docker } from '../../ports/docker.ts'
import type { Request } from './connection.ts'

/** `docker top` with two columns: the Engine runs the host's own ps, for images without one too. */
export function processesCall(request: Request): Docker['processes'] {
  return async (id) => {
    const top = (await request(`list the processes of container ${id}`, (engine, abortSignal) =>
      engine.getContainer(encodeURIComponent(id)).top({ ps_args: '-eo pid,args', abortSignal }),
    )) as { Processes?: string[][] | null }
    return (top.Processes ?? []).map(
      ([pid, args]): ContainerProcess => ({ pid: Number(pid), args: (args ?? '').trim() }),
    )
  }
}
