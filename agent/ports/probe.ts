/**
 * What answers an attempt to connect. `unreachable` only where the kernel says so (no route, no neighbor entry, host
 * unreachable); one who drops the attempt is `silent` (TCP MD5, GTSM, a filter): he is there.
 */
export type Reach = 'accepts' | 'refuses' | 'silent' | 'unreachable'

/** Small outside looks at this host's own services and its peers. */
export interface Probe {
  /** HTTP status, or null where nothing answers in time. */
  httpStatus(url: string): Promise<number | null>
  /** How a TCP connection goes; takes 4 s at most. A host that has just gone is `silent` for two attempts. */
  reach(address: string, port: number): Promise<Reach>
  /** What is free for this user on the file system of the path; null where that cannot be told. */
  freeBytes(path: string): Promise<number | null>
}
