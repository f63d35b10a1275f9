import { readPod } from '../../agent/adapters/manifests/read-pod.ts'
import { AgentError } from '../../agent/core/errors.ts'
import type { ManifestFile } from '../../agent/core/pod/manifest.ts'
import type { FileAttributes, Manifests } from '../../agent/ports/manifests.ts'

interface FakeManifest extends FileAttributes {
  text: string
}

/** Manifests in memory, held to the real ones by test/contract. */
export class FakeManifests implements Manifests {
  readonly files = new Map<string, FakeManifest>()
  readonly links = new Set<string>()
  /** Why nothing can be written. */
  readOnly: string | null = null
  /** Called after a change: a fake kubelet looks by it. */
  onChange: () => void = () => undefined
  readonly #ops: string[]

  constructor(ops: string[] = []) {
    this.#ops = ops
  }

  async list(directory: string): Promise<ManifestFile[]> {
    const inside = [...this.files].filter(([path]) => path.startsWith(`${directory}/`))
    const live = inside.filter(([path]) => !path.slice(directory.length + 1).startsWith('.'))
    return await Promise.all(
      live.map(async ([path, { text }]) => ({
        path,
        text,
        isLink: this.links.has(path),
        pod: await readPod(text),
      })),
    )
  }

  async read(path: string): Promise<string | null> {
    return await Promise.resolve(this.files.get(path)?.text ?? null)
  }

  async whyReadOnly(): Promise<string | null> {
    return await Promise.resolve(this.readOnly)
  }

  async attributes(path: string): Promise<FileAttributes | null> {
    const found = this.files.get(path)
    return await Promise.resolve(found ? { mode: found.mode, uid: found.uid, gid: found.gid } : null)
  }

  async takeOut(path: string, wayBack: string): Promise<void> {
    if (await this.bringBack(path, wayBack)) return
    throw new AgentError('cannot-write', `cannot take out ${path}: no such file`, { fix: `ls -l ${path}` })
  }

  async put(path: string, text: string, attributes: FileAttributes): Promise<void> {
    this.#ops.push(`write ${path}`)
    this.files.set(path, { text, ...attributes })
    this.onChange()
    await Promise.resolve()
  }

  async remove(path: string): Promise<void> {
    if (!this.files.delete(path)) return
    this.#ops.push(`remove ${path}`)
    this.onChange()
    await Promise.resolve()
  }

  async bringBack(from: string, to: string): Promise<boolean> {
    const file = this.files.get(from)
    if (!file) return false
    this.files.delete(from)
    this.files.set(to, file)
    this.#ops.push(`rename ${from} ${to}`)
    this.onChange()
    return await Promise.resolve(true)
  }
}
