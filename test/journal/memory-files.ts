import type { JournalFiles } from '../../agent/journal/store.ts'

/** Journals that are on no disk. */
export class MemoryFiles implements JournalFiles {
  readonly directory = '/state/runs'
  readonly texts = new Map<string, string>()
  pruned: string | null = null

  list() {
    return Promise.resolve([...this.texts.keys()])
  }

  read(name: string) {
    return Promise.resolve(this.texts.get(name) ?? '')
  }

  open(name: string, size: number) {
    if (size === 0 && this.texts.has(name)) return Promise.reject(new Error(`${name} exists`))
    this.texts.set(
      name,
      Buffer.from(this.texts.get(name) ?? '')
        .subarray(0, size)
        .toString(),
    )
    const append = (text: string) => {
      this.texts.set(name, (this.texts.get(name) ?? '') + text)
      return Promise.resolve()
    }
    return Promise.resolve({ append, close: () => Promise.resolve() })
  }

  remove(name: string) {
    this.texts.delete(name)
    return Promise.resolve()
  }

  readPruned() {
    return Promise.resolve(this.pruned)
  }

  writePruned(text: string) {
    this.pruned = text
    return Promise.resolve()
  }
}
