import { createHash } from 'node:crypto'
import { hostname } from 'node:os'
import type { HostIdentity } from '../core/host-identity.ts'
import { readRegularFile } from './read-file.ts'

/** The machine-id itself is not for journals and reports, which are sent around (machine-id(5)). */
export async function readHostIdentity(file = '/etc/machine-id'): Promise<HostIdentity> {
  const bytes = await readRegularFile(file, { maxBytes: 4096 }).catch(() => undefined)
  const id = bytes?.toString().trim() ?? ''
  const hash = (): string => createHash('sha256').update(`calico-agent ${id}`).digest('hex').slice(0, 32)
  // "uninitialized" before the first boot
  return { machine: /^[0-9a-f]{32}$/.test(id) ? hash() : null, name: hostname() }
}
