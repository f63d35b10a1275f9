/** A server that may be dialled. */
export interface Endpoint {
  /** As it may be shown: without user, password and path. */
  shown: string
  host: string
  port: number
  tls: boolean
}

/** What of a URL tells where it leads: a password may have slashes and `@`. */
const URL_PARTS =
  /^(?:(https?):\/\/)?(?:.*@)?(\[[0-9a-f:.%]+\]|[^\s/:?#[\]]+)(?::(\d{1,5}))?\/?(?:[/?#].*)?$/i

/** `http://10.0.0.1:2379`, or `10.0.0.1:2379` as etcd's client takes it; null where it is none that can be dialled. */
export function endpointOf(url: string): Endpoint | null {
  const [, scheme, host, port] = URL_PARTS.exec(url) ?? []
  if (host === undefined || (scheme === undefined && port === undefined)) return null
  const tls = scheme?.toLowerCase() === 'https'
  const number = Number(port ?? (tls ? 443 : 80))
  if (number < 1 || number > 65_535) return null
  const shown = `${scheme === undefined ? '' : `${scheme}://`}${host}${port === undefined ? '' : `:${port}`}`
  return { shown, host: host.replace(/^\[|\]$/g, ''), port: number, tls }
}

/** `docker run --add-host NAME:ADDRESS`: what the container knows, and this host need not. */
export function withExtraHosts(endpoint: Endpoint, extraHosts: unknown): Endpoint {
  for (const entry of Array.isArray(extraHosts) ? extraHosts.filter((one) => typeof one === 'string') : []) {
    const at = entry.search(/[:=]/)
    if (at > 0 && entry.slice(0, at) === endpoint.host)
      return { ...endpoint, host: entry.slice(at + 1).replace(/^\[|\]$/g, '') }
  }
  return endpoint
}
