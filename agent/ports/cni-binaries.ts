import type { CniAnswer } from '../core/cni/version.ts'
import type { Problem } from '../core/errors.ts'
import type { TriedPlugin } from '../core/model.ts'
import type { StageSource } from '../core/plan/plan.ts'
import type { CniSource } from '../core/wanted.ts'

/** A run's files in a directory of plugins. */
export interface CniPlace {
  binDir: string
  run: string
}

export interface KeptBinary {
  name: string
  /** Before the run; by now a name that was free may have its new plugin. */
  existed: boolean
}

export interface BinaryFacts {
  name: string
  /** Hex; null where there is no such file. */
  sha256: string | null
}

/** What a staged plugin reported when it was tried. */
export interface StagedBinary {
  name: string
  sha256: string
  /** As it prints it; null where it prints none. */
  version: string | null
}

/** What is to be staged, and what it must be. */
export interface StageRequest {
  source: StageSource
  binaries: {
    name: string
    /** Hex; null where any content will do. */
    sha256: string | null
  }[]
  /** The config's, which each plugin must know; null where it is not known. */
  cniVersion: string | null
}

/**
 * Plugins in their directory. Nothing here writes into a live file or leaves its name empty: a new one is staged beside
 * it, the old one kept as a hard link, and one rename(2) moves the name.
 * @throws AgentError
 */
export interface CniBinaries {
  /** What prevents plugins of these names from being installed there; null if nothing does. Changes nothing. */
  directoryProblem(binDir: string, names: string[]): Promise<Problem | null>
  installed(binDir: string, names: string[]): Promise<BinaryFacts[]>
  /** By running it; null where it does not run or prints none. */
  version(path: string): Promise<string | null>
  /** The same, of Calico's own plugin; null where it is another one under its name. */
  calicoVersion(path: string): Promise<string | null>
  /** The versions of the CNI specification that the plugin knows, by its own answer. */
  cniVersions(path: string): Promise<CniAnswer>
  /** What the source has under these names, by its content. */
  offered(source: CniSource, names: string[], signal: AbortSignal): Promise<StagedFacts[]>
  /** The CNI versions that plugins of a directory know, tried where they lie; null where that file system runs none. */
  tried(path: string, names: string[], signal: AbortSignal): Promise<TriedPlugin[]>
  /** Whether a CNI config of the directory says that the nodename file may be missing. */
  nodenameOptional(configDir: string): Promise<boolean>
  /** Whether calico/node wrote this host's name down. */
  nodenameWritten(): Promise<boolean>

  /** Copies the plugins beside the live ones, checked and tried, on disk when it resolves. */
  stage(place: CniPlace, request: StageRequest, signal: AbortSignal): Promise<StagedBinary[]>
  /** Facts of the staged files. */
  staged(place: CniPlace, names: string[]): Promise<BinaryFacts[]>
  /** Removes the staged files, and what reading an image left behind in Docker. */
  unstage(place: CniPlace, names: string[], source: StageSource): Promise<void>
  /**
   * Links what is live and was there before the run, unless a try that died did so already, and gives the staged files
   * its attributes.
   */
  keep(place: CniPlace, binaries: KeptBinary[]): Promise<void>
  /** Facts of the links. */
  kept(place: CniPlace, names: string[]): Promise<BinaryFacts[]>
  /** Renames the staged file over the live one; one that is in place already is no error. */
  putInPlace(place: CniPlace, name: string): Promise<void>
  /** Renames the link over the live one; no link is no error. */
  putBack(place: CniPlace, name: string): Promise<void>
  /** Removes a live plugin that was not there before, unless it is another one by now. */
  takeAway(place: CniPlace, name: string, sha256: string): Promise<void>
}

export interface StagedFacts {
  name: string
  sha256: string
}
