import { isIP } from 'node:net'

/**
 * Whether a request is meant for this host: a page in someone's browser may point its own name at an address of
 * this host (DNS rebinding), and read what is served. It cannot do so with an address or this host's own name.
 * @param name this host's; with or without a domain
 * @param given the host of `service.listen`
 */
export function isAskedAs(header: string | undefined, name: string, given: string): boolean {
  // HTTP/1.0; no browser speaks it
  if (header === undefined) return true
  const asked = (/^(\[[^\]]*\]|[^:]*)(:\d+)?$/.exec(header)?.[1] ?? '').toLowerCase().replace(/\.$/, '')
  if (isIP(asked.replace(/^\[|\]$/g, '')) !== 0 || asked === 'localhost' || asked === given.toLowerCase())
    return true
  const [own = ''] = name.toLowerCase().split('.')
  return asked === name.toLowerCase() || asked === own || (own !== '' && asked.startsWith(`${own}.`))
}
