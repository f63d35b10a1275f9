/** Programs of the host. */
export interface Host {
  /** What the program prints with `-v`, or null. */
  programVersion(path: string): Promise<string | null>
}
