/**
 * What answers an attempt to connect. `unreachable` only where this kernel knows it: no route, or no answer of the host, or
 * of the gateway to it, to ARP or neighbor discovery. One who drops the attempt (TCP MD5, GTSM, a filter), or rejects it by
 * ICMP, is `silent`: he is there. So is one of whom a router says that he is not: the router may say so of a filter.
 */
export type Reach = 'accepts' | 'refuses' | 'silent' | 'unreachable'

/** Small probes of this host's own services and its peers. */
export interface Probe {
  /** HTTP status, or null where nothing answers in time. */
  httpStatus(url: string): Promise<number | null>
  /** How a TCP connection goes; takes 4 s at most. A host that has just gone is `silent` for two attempts. */
  reach(address: string, port: number): Promise<Reach>
  /** What is free for this user on the file system of the path; null where that cannot be told. */
  freeBytes(path: string): Promise<number | null>
}
