import { stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { FSWatcher } from 'chokidar'

/** The file must be unchanged for this long: one event for an editor's many changes, none for a half-written file. */
const QUIET_MS = 200
/** A long burst needs as much quiet time as it lasted, up to this multiple of the minimum: its writer may pause. */
const LONGEST_QUIET = 8

export interface Watch {
  close(): Promise<void>
}

/**
 * Calls `changed` once for each burst of changes that may concern the file: written in place, replaced by rename, a
 * symbolic link in its path moved (like a ConfigMap's `..data`), created or removed, its directory as well.
 */
export async function watchConfig(
  file: string,
  changed: () => void,
  failed: (error: unknown) => void,
  quietMs = QUIET_MS,
): Promise<Watch> {
  const watch = new ConfigWatch(resolve(file), changed, failed, quietMs)
  await watch.arm()
  return watch
}

class ConfigWatch implements Watch {
  readonly #path: string
  readonly #changed: () => void
  readonly #failed: (error: unknown) => void
  readonly #quietMs: number
  #watcher: FSWatcher | undefined
  #armedAt = ''
  #arming: Promise<boolean> = Promise.resolve(false)
  #timer: NodeJS.Timeout | undefined
  #burstSince: number | undefined
  #closed = false

  constructor(path: string, changed: () => void, failed: (error: unknown) => void, quietMs: number) {
    this.#quietMs = quietMs
    this.#path = path
    this.#changed = changed
    this.#failed = failed
  }

  /** Watches the file's directory, or the existing part of its path. Resolves to whether that is now another one. */
  arm(): Promise<boolean> {
    // One after the other: changes continue while a watch is set up.
    const armed = this.#arming.then(() => this.#armNow())
    this.#arming = armed.catch(() => false)
    return armed
  }

  async #armNow(): Promise<boolean> {
    const { directory, identity } = await nearestDirectory(dirname(this.#path))
    if (identity === this.#armedAt) return false
    await this.#watcher?.close()
    // Loaded when it is needed: only the service watches.
    const { watch } = await import('chokidar')
    // The directory, not the file alone: a rename over the file leaves a watch on the old file.
    const paths = directory === dirname(this.#path) ? [directory, this.#path] : [directory]
    // Not `atomic`: it holds events back for as long as the quiet time is meant to be.
    const watcher = watch(paths, { depth: 0, ignoreInitial: true, atomic: false })
    const settle = (): void => {
      this.#settle()
    }
    // Both: a change that chokidar merges with another one is also a change.
    watcher.on('all', settle).on('raw', settle).on('error', this.#failed)
    await new Promise<void>((ready) => {
      watcher.once('ready', ready)
    })
    this.#armedAt = identity
    this.#watcher = watcher
    return true
  }

  #settle(): void {
    clearTimeout(this.#timer)
    if (this.#closed) return
    const now = performance.now()
    this.#burstSince ??= now
    const quiet = Math.min(Math.max(this.#quietMs, now - this.#burstSince), LONGEST_QUIET * this.#quietMs)
    this.#timer = setTimeout(() => void this.#tell(), quiet)
  }

  async #tell(): Promise<void> {
    this.#burstSince = undefined
    // Changes in a new directory were not seen so far: it gets its own quiet time.
    if (await this.#armedAnew()) this.#settle()
    else if (!this.#closed) this.#changed()
  }

  async #armedAnew(): Promise<boolean> {
    try {
      return await this.arm()
    } catch (error) {
      this.#failed(error)
      return false
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#arming
    await this.#watcher?.close()
  }
}

/** The inode distinguishes a directory from another one that has replaced it. */
async function nearestDirectory(path: string): Promise<{ directory: string; identity: string }> {
  const found = await stat(path).catch(() => undefined)
  if (found?.isDirectory()) return { directory: path, identity: `${path} ${found.dev}:${found.ino}` }
  return await nearestDirectory(dirname(path))
}
