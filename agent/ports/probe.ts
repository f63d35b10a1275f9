/** Small outside looks at this host's own services and its peers. */
export interface Probe {
  /** HTTP status, or null where nothing answers in time. */
  httpStatus(url: string): Promise<number | null>
  /** Whether a TCP connection is accepted. */
  acceptsTcp(address: string, port: number): Promise<boolean>
  /** What is free for this user on the file system of the path; null where that cannot be told. */
  freeBytes(path: string): Promise<number | null>
}
