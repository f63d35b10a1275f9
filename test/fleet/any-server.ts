import { createServer } from 'node:http'

/** A server on loopback that answers everything with this, for as long as `use` takes. */
export async function answering<T>(
  status: number,
  body: string,
  use: (url: string) => Promise<T>,
): Promise<T> {
  const server = createServer((_request, response) => {
    response.writeHead(status).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  try {
    return await use(`http://127.0.0.1:${port}`)
  } finally {
    server.close()
  }
}
