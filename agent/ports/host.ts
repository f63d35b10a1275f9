/** What the agent asks of the host's own service manager and programs. */
export interface Host {
  /** The systemd unit that runs `docker run|start` for this container, or null. */
  unitRunning(container: string): Promise<string | null>
  /** What the program prints with `-v`, or null. */
  programVersion(path: string): Promise<string | null>
}
