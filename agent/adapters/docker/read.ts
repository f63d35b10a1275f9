/** Reads a stream of bytes to its end, and keeps no more than its first `maxBytes`. */
export async function readUpTo(stream: AsyncIterable<unknown>, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    if (bytes < maxBytes) chunks.push(chunk.subarray(0, maxBytes - bytes))
    bytes += chunk.length
  }
  return Buffer.concat(chunks)
}
