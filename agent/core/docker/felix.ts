/** A process of a container, as the host's `ps` shows it. */
export interface ContainerProcess {
  pid: number
  /** The whole command line. */
  args: string
}

/** `calico-felix` up to v3.2, `calico-node -felix` after it; what supervises it has other words before its name. */
const FELIX = /^(\S*\/)?(calico-felix(\s|$)|calico-node\s(.*\s)?-felix(\s|$))/

/** The process id of Felix, null where none is seen. runit starts another one when it ends. */
export function felixProcess(processes: ContainerProcess[]): number | null {
  return processes.find(({ args }) => FELIX.test(args))?.pid ?? null
}
