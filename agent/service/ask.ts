import { get } from 'node:http'
import type { StatusReport } from '../core/report/status.ts'
import type { ServiceState } from './loop.ts'

/** What a client needs of /status. */
export interface ServiceAnswer {
  schema: 1
  service: { state: ServiceState; waitedMs: number | null }
  host: StatusReport | null
}

/** A look at the host takes the service 8 s at most. */
const ANSWER_MS = 15_000

/** What the service at this socket answers; null if none does, or not in time. */
export async function askService(socketPath: string): Promise<ServiceAnswer | null> {
  const answer = parsed(await textAt(socketPath, '/status'))
  const schema: number | undefined = answer?.schema
  return schema === 1 ? answer : null
}

/** Another program may listen there. */
function parsed(text: string | null): ServiceAnswer | null {
  try {
    return JSON.parse(text ?? 'null') as ServiceAnswer | null
  } catch {
    return null
  }
}

function textAt(socketPath: string, path: string): Promise<string | null> {
  return new Promise((resolve) => {
    const nothing = (): void => {
      resolve(null)
    }
    get({ socketPath, path, signal: AbortSignal.timeout(ANSWER_MS) }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('end', () => {
        resolve(response.statusCode === 200 && response.complete ? text : null)
      })
      response.on('error', nothing)
    }).on('error', nothing)
  })
}
