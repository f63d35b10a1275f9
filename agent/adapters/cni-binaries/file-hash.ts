import { createHash } from 'node:crypto'
import { isMissing } from '../file-error.ts'
import { openRegular } from '../read-file.ts'

const CHUNK_BYTES = 1024 * 1024

/** SHA-256 of a regular file, hex; null where there is none. A symbolic link is an error. */
export async function sha256Of(path: string): Promise<string | null> {
  try {
    const file = await openRegular(path, true)
    try {
      const hash = createHash('sha256')
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
      for (;;) {
        const { bytesRead } = await file.read({ buffer: chunk })
        if (bytesRead === 0) return hash.digest('hex')
        hash.update(chunk.subarray(0, bytesRead))
      }
    } finally {
      await file.close()
    }
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}
