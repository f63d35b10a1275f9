/** Small outside looks at this host's own services and its peers. */
export interface Probe {
  /** HTTP status, or null where nothing answers in time. */
  httpStatus(url: string): Promise<number | null>
  /**
   * Whether the host is there: `unreachable` only where the kernel says so (no route, no neighbor entry, host
   * unreachable). One that refuses the connection, or drops it (TCP MD5, GTSM, a filter), is there.
   */
  reach(address: string, port: number): Promise<'there' | 'unreachable'>
  /** What is free for this user on the file system of the path; null where that cannot be told. */
  freeBytes(path: string): Promise<number | null>
}
