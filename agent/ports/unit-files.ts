/** A file that a unit is read from. */
export interface UnitFile {
  text: string
  /** The path is a symbolic link. */
  isLink: boolean
}

/** The files that units are read from. */
export interface UnitFiles {
  /**
   * Undefined where there is no such file.
   * @throws AgentError `cannot-read`, also for a file that is not UTF-8
   */
  read(path: string): Promise<UnitFile | undefined>
  /** The start of a text file, for a look at the commands in it; undefined where it is none, or cannot be read. */
  readScript(path: string): Promise<string | undefined>
  /** The files that a pattern stands for, in the order of their names (glob(7)); a path without one is itself. */
  expand(pattern: string): Promise<string[]>
  /** Whether the agent may write a file there, or make one. */
  isWritable(path: string): Promise<boolean>
  /** Atomically; mode and owner stay, a new file gets 0644, and directories are made. */
  write(path: string, text: string): Promise<void>
  /** A file that is gone is no error; a directory that is empty then goes as well. */
  remove(path: string): Promise<void>
}
