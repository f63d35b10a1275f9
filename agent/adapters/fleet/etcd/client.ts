import { AgentError } from '../../../core/errors.ts'
import { parsedObject } from '../../../core/json/parsed.ts'
import { within } from '../../deadline.ts'
import { exchange, type HttpRequest, linesOf, openResponse, reasonOf } from '../../http.ts'
import { type EtcdConfig, passwordOf, tlsOf } from './credential.ts'
import {
  badCertificate,
  bodyOf,
  failureOf,
  isCertificateFault,
  MemberError,
  notEtcd,
  TokenError,
  tooOld,
  unreachable,
} from './failure.ts'

/** Of one member: one that hangs never answers, and the next one is asked. */
const DEADLINE_MS = 5_000
/** The records of some ten thousand hosts. */
const MAX_BYTES = 64 * 1024 * 1024

/**
 * etcd's v3 API by the gateway that each member has. A call may be sent again, to the next member: after an error it has
 * been carried out or not.
 */
export class EtcdClient {
  readonly #config: EtcdConfig
  /** The member that answered last comes first. */
  #endpoints: string[]
  /** By member: where its release has the gateway. */
  readonly #bases = new Map<string, string>()
  #token: string | null = null

  constructor(config: EtcdConfig) {
    this.#config = config
    this.#endpoints = inAnyOrder(config.endpoints.map((endpoint) => endpoint.replace(/\/$/, '')))
  }

  /** @throws AgentError `fleet-unreachable`, and what `failure.ts` has */
  async call(path: string, body: object): Promise<unknown> {
    return await this.#onAMember((endpoint) =>
      this.#loggedIn(endpoint, () => this.#exchange(endpoint, path, body)),
    )
  }

  /** The messages of a stream, until either side ends it. */
  async *stream(path: string, body: object, signal: AbortSignal): AsyncGenerator {
    const open = async (endpoint: string) => {
      const url = new URL(`${await this.#base(endpoint)}${path}`, endpoint)
      return { endpoint, response: await this.#open(url, body, signal) }
    }
    const { endpoint, response } = await this.#onAMember((one) => this.#loggedIn(one, () => open(one)))
    try {
      for await (const line of linesOf(response, MAX_BYTES)) {
        const message = parsedObject(line) as { result?: unknown; error?: object } | undefined
        if (message?.error !== undefined) throw failureOf(message.error, response.statusCode ?? 0, endpoint)
        yield message?.result
      }
    } catch (error) {
      if (error instanceof TokenError) this.#token = null
      if (error instanceof AgentError || signal.aborted) throw error
      throw unreachable(new Map([[endpoint, reasonOf(error)]]))
    }
  }

  /** Until one answers; what is wrong with the config is wrong with all of them. */
  async #onAMember<T>(ask: (endpoint: string) => Promise<T>): Promise<T> {
    const failures = new Map<string, string>()
    for (const endpoint of this.#endpoints) {
      try {
        const answer = await ask(endpoint)
        if (failures.size > 0)
          this.#endpoints = [endpoint, ...this.#endpoints.filter((one) => one !== endpoint)]
        return answer
      } catch (error) {
        if (error instanceof AgentError) throw error
        if (isCertificateFault(error)) throw badCertificate(endpoint, reasonOf(error))
        failures.set(endpoint, reasonOf(error))
      }
    }
    throw unreachable(failures)
  }

  async #loggedIn<T>(endpoint: string, ask: () => Promise<T>): Promise<T> {
    const { user } = this.#config
    if (user === undefined) return await ask()
    this.#token ??= await this.#logIn(endpoint, user)
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof TokenError)) throw error
      this.#token = await this.#logIn(endpoint, user)
      return await ask()
    }
  }

  async #logIn(endpoint: string, name: string): Promise<string> {
    this.#token = null
    const password = await passwordOf(this.#config)
    const answer = await this.#exchange(endpoint, '/auth/authenticate', { name, password })
    return (answer as { token?: string }).token ?? ''
  }

  async #exchange(endpoint: string, path: string, body: object): Promise<unknown> {
    const url = new URL(`${await this.#base(endpoint)}${path}`, endpoint)
    return await within(DEADLINE_MS, async (signal) => {
      const answer = await exchange(url, await this.#request(body, signal), MAX_BYTES)
      return bodyOf(answer, endpoint)
    })
  }

  async #open(url: URL, body: object, signal: AbortSignal) {
    return await within(DEADLINE_MS, async (late) => {
      const request = await this.#request(body, AbortSignal.any([signal, late]))
      const response = await openResponse(url, request)
      if (response.statusCode === 200) return response
      response.destroy()
      throw response.statusCode === 401
        ? new TokenError('the token is not valid any more')
        : new MemberError(`it answers a watch with ${response.statusCode ?? 0}`)
    })
  }

  async #request(body: object, signal: AbortSignal): Promise<HttpRequest> {
    return {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        ...(this.#token !== null && { Authorization: this.#token }),
      },
      ...(await tlsOf(this.#config)),
      body: JSON.stringify(body),
      signal,
    }
  }

  /** 3.2 has its gateway at /v3alpha, 3.3 at /v3beta, later ones at /v3. */
  async #base(endpoint: string): Promise<string> {
    const known = this.#bases.get(endpoint)
    if (known !== undefined) return known
    const version = await this.#version(endpoint)
    const [, major, minor] = /^(\d+)\.(\d+)\./.exec(version) ?? []
    if (Number(major) < 3 || (Number(major) === 3 && Number(minor) < 2))
      throw tooOld(endpoint, `it is etcd ${version}`)
    const base = major !== '3' || Number(minor) > 3 ? '/v3' : minor === '3' ? '/v3beta' : '/v3alpha'
    this.#bases.set(endpoint, base)
    return base
  }

  async #version(endpoint: string): Promise<string> {
    return await within(DEADLINE_MS, async (signal) => {
      const tls = await tlsOf(this.#config)
      const { status, text } = await exchange(new URL('/version', endpoint), { ...tls, signal }, MAX_BYTES)
      const version = (parsedObject(text) as { etcdserver?: unknown } | undefined)?.etcdserver
      if (typeof version === 'string') return version
      throw notEtcd(endpoint, `it answers /version with ${status}, and not as etcd does`)
    })
  }
}

/** Not every host asks the first member. */
function inAnyOrder<T>(all: T[]): T[] {
  return all
    .map((one) => ({ one, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ one }) => one)
}
