import type Dockerode from 'dockerode'
import type { RegistryLogin } from './credential-helper.ts'

interface Transport {
  dial(options: object, callback: (error: Error | null, reply: unknown) => void): void
}

/** A GET by the library's transport, for the calls whose own method cannot be aborted or takes no login. */
export function getJson(
  engine: Dockerode,
  path: string,
  abortSignal: AbortSignal,
  login?: RegistryLogin,
): Promise<unknown> {
  const transport = engine.modem as Transport
  const options = { path, method: 'GET', authconfig: login, abortSignal, statusCodes: { 200: true } }
  return new Promise((resolve, reject) => {
    transport.dial(options, (error, reply) => {
      if (error === null) resolve(reply)
      else reject(error)
    })
  })
}
