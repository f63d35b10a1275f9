import { configCode, ownStatements } from './config-text.ts'

/** A BGP neighbor as bird.cfg has it. */
export interface BgpNeighbor {
  /** The protocol's name, as `show protocols` has it. */
  name: string
  /** As BIRD shows it: a link-local address with its interface, `fe80::2%eth0`. */
  address: string
  /** Where the neighbor listens. */
  port: number
  /** This BIRD waits for the neighbor's connection and never connects by itself. */
  passive: boolean
}

/** IANA's port of BGP, and BIRD's default on both sides. */
const BGP_PORT = 179

const BLOCK =
  /\b(?:protocol|template)\s+bgp(?:\s+(?!from\b)(\w+|'[^'\n]*'))?(?:\s+from\s+(\w+|'[^'\n]*'))?\s*\{/gi
const NEIGHBOR = /^neighbor\s+([\d.:a-f]+)\s*(?:%\s*'?([\w.-]+)'?)?(\s[\s\S]*)?$/i
/** No value means yes (BIRD's grammar, `bool`). */
const PASSIVE = /^passive(?:\s+(\w+))?$/i
const OFF = /^(?:off|no|0)$/i

type Settings = { [K in 'address' | 'port' | 'passive']?: BgpNeighbor[K] | undefined }

/**
 * The neighbors in the text of bird.cfg or bird6.cfg, with what they inherit from their templates. What cannot be
 * read is left out. Includes are not followed: Calico's hold no peers.
 */
export function bgpNeighbors(birdCfg: string): BgpNeighbor[] {
  const code = configCode(birdCfg)
  const known = new Map<string, Settings>()
  const neighbors: BgpNeighbor[] = []
  for (const match of code.matchAll(BLOCK)) {
    const [block, name = '', parent = ''] = match
    const statements = ownStatements(code, match.index + block.length - 1)
    const settings = statements.reduce(apply, known.get(unquoted(parent)) ?? {})
    known.set(unquoted(name), settings)
    const { address, port, passive = false } = settings
    if (!/^protocol/i.test(block) || name === '' || address === undefined || port === undefined) continue
    neighbors.push({ name: unquoted(name), address, port, passive })
  }
  return neighbors
}

/** The port on which this BIRD accepts its neighbors' connections: `listen bgp port 1790;`. */
export function bgpListenPort(birdCfg: string): number {
  const ports = [...configCode(birdCfg).matchAll(/\blisten\s+bgp\b([^;{}]*);/gi)].map(([, options]) =>
    portOf(options ?? ''),
  )
  return ports.at(-1) ?? BGP_PORT
}

function apply(settings: Settings, statement: string): Settings {
  const passive = PASSIVE.exec(statement)
  if (passive) return { ...settings, passive: !OFF.test(passive[1] ?? '') }
  const neighbor = NEIGHBOR.exec(statement)
  if (!neighbor) return settings
  const [, address = '', scope, options = ''] = neighbor
  return {
    ...settings,
    address: scope === undefined ? address : `${address}%${scope}`,
    port: portOf(options),
  }
}

/** Undefined if it is not a plain number. */
function portOf(options: string): number | undefined {
  const port = /\bport\s+(\S+)/i.exec(options)?.[1]
  if (port === undefined) return BGP_PORT
  return /^\d{1,5}$/.test(port) ? Number(port) : undefined
}

function unquoted(name: string): string {
  return name.replaceAll("'", '')
}
