import { stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { FSWatcher } from 'chokidar'

/** So long must the file be at rest: one change for an editor's many, none for a file half written. */
const QUIET_MS = 200
/** A burst that goes on asks for as much rest as it has lasted, up to so many times the least: its writer may pause. */
const LONGEST_QUIET = 8

export interface Watch {
  close(): Promise<void>
}

/**
 * Calls `changed` once for each burst of changes that may concern the file: written in place, replaced by rename, a
 * symbolic link on its way moved (as a ConfigMap's `..data`), made or removed, its directory as well.
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
  #timer: NodeJS.Timeout | undefined
  #burstSince: number | undefined
  #closed = false

  constructor(path: string, changed: () => void, failed: (error: unknown) => void, quietMs: number) {
    this.#quietMs = quietMs
    this.#path = path
    this.#changed = changed
    this.#failed = failed
  }

  /** Watches the file's directory, or what is there of the way to it. */
  async arm(): Promise<void> {
    const { directory, identity } = await nearestDirectory(dirname(this.#path))
    if (identity === this.#armedAt) return
    await this.#watcher?.close()
    // Loaded when it is needed: only the service watches.
    const { watch } = await import('chokidar')
    // The directory, not the file alone: a rename over the file leaves a watch of the file behind.
    const paths = directory === dirname(this.#path) ? [directory, this.#path] : [directory]
    // Not `atomic`: it holds events back for as long as the quiet time is meant to be.
    const watcher = watch(paths, { depth: 0, ignoreInitial: true, atomic: false })
    watcher.on('all', () => {
      this.#settle()
    })
    watcher.on('error', this.#failed)
    await new Promise<void>((ready) => {
      watcher.once('ready', ready)
    })
    this.#armedAt = identity
    this.#watcher = watcher
  }

  #settle(): void {
    clearTimeout(this.#timer)
    if (this.#closed) return
    const now = performance.now()
    this.#burstSince ??= now
    const quiet = Math.min(Math.max(this.#quietMs, now - this.#burstSince), LONGEST_QUIET * this.#quietMs)
    this.#timer = setTimeout(() => void this.#tell(), quiet)
  }

  /** Armed anew first: what happens after the reader has looked is then seen. */
  async #tell(): Promise<void> {
    this.#burstSince = undefined
    await this.arm().catch(this.#failed)
    if (!this.#closed) this.#changed()
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#watcher?.close()
  }
}

/** The inode tells a directory from another one that has taken its place. */
async function nearestDirectory(path: string): Promise<{ directory: string; identity: string }> {
  const found = await stat(path).catch(() => undefined)
  if (found?.isDirectory()) return { directory: path, identity: `${path} ${found.dev}:${found.ino}` }
  return await nearestDirectory(dirname(path))
}
