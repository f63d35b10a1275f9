import type { ConfigFile } from '../core/cni/config.ts'
import type { Problem } from '../core/errors.ts'

/** The directory of CNI configs, and the plugins that they name. */
export interface CniConfigs {
  /** All files with a live ending; none where there is no such directory. @throws AgentError `cannot-read` */
  list(directory: string): Promise<ConfigFile[]>
  /** Null where there is no such file. @throws AgentError `cannot-read` */
  read(path: string): Promise<string | null>
  /**
   * Puts a whole content in place, durably, with the mode and the owner that the file has: a reader sees the old one or
   * the new one. The file as it was stays as `wayBack`, in the same directory.
   * @throws AgentError `cannot-write`
   */
  replace(path: string, text: string, wayBack: string): Promise<void>
  /**
   * The file as it was, mtime included, in place again; by its text where `wayBack` is gone.
   * @throws AgentError `cannot-write`
   */
  restore(path: string, text: string, wayBack: string): Promise<void>
  /**
   * Removes a way back, or a run's directory of staged plugins, durably; one that is gone is no error.
   * @throws AgentError `cannot-write`
   */
  remove(wayBack: string): Promise<void>
  /** What prevents files from being replaced there, such as a read-only file system; null if nothing does. */
  directoryProblem(directory: string): Promise<Problem | null>
  exists(path: string): Promise<boolean>
  /** Whether there is a program of that name. */
  isProgram(path: string): Promise<boolean>
}
