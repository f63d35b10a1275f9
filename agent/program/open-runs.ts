import type { JournalFiles } from '../journal/store.ts'

/** Counts the journals that are open: an agent that ends now leaves their runs behind. */
export class OpenRuns {
  #count = 0

  get any(): boolean {
    return this.#count > 0
  }

  watch(files: JournalFiles): JournalFiles {
    return {
      ...files,
      open: async (name, size) => {
        const file = await files.open(name, size)
        this.#count += 1
        const close = async (): Promise<void> => {
          this.#count -= 1
          await file.close()
        }
        return { append: (text) => file.append(text), close }
      },
    }
  }
}
