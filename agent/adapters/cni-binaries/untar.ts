import { Readable } from 'node:stream'
import type { Header } from 'tar-stream'

export interface TarEntry {
  header: Header
  content: AsyncIterable<Uint8Array>
}

/** The entries of a tar, in their order. What is left of an entry when the next one is asked for is skipped. */
export async function* untar(tar: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry> {
  const { extract } = await import('tar-stream')
  const unpacked = extract()
  const source = Readable.from(tar, { objectMode: false, highWaterMark: 1024 * 1024 })
  source.on('error', (error) => {
    unpacked.destroy(error)
  })
  source.pipe(unpacked)
  try {
    for await (const entry of unpacked) {
      yield { header: entry.header, content: entry as AsyncIterable<Uint8Array> }
      entry.resume()
    }
  } finally {
    source.destroy()
    unpacked.destroy()
  }
}
