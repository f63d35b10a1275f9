/** A document, and what must still be there when it is written again. */
export interface Snapshot {
  /** Null where nobody has written it. */
  text: string | null
  /** Opaque; differs after each write. */
  version: string
}

/**
 * Where the hosts of one group keep a document that all of them share, and a record each: an engine that exists and
 * is linearizable. Each call is bounded in time and throws AgentError `fleet-unreachable`, or a code of the engine
 * that tells what is wrong with the config.
 */
export interface FleetStore {
  /** The document as no later read can find it older. */
  read(): Promise<Snapshot>
  /**
   * Writes the document if it is still the one of `version`; false where somebody else was faster. After an error it
   * may have been written or not.
   * @param holders who is at work, where the engine has a place to show it
   */
  write(text: string, version: string, holders: string): Promise<boolean>
  /**
   * The document as it is, and then as it changes, the newest at least, from a stream that the engine keeps open. Ends
   * without an error when the engine closes it.
   */
  watch(signal: AbortSignal): AsyncIterable<Snapshot>
  /** The records of all hosts, by name. */
  records(): Promise<Map<string, string>>
  /** The record of one host; null where there is none. */
  record(host: string): Promise<string | null>
  writeRecord(host: string, text: string): Promise<void>
}
