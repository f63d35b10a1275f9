import { join } from 'node:path'

/** What one running lab owns: everything below goes away with `down`. */
export const labDir = process.env['LAB_DIR'] ?? '/var/lib/calico-host-lab'

/** What outlives a lab: downloads and built images, keyed by a hash of their inputs. */
export const cacheDir = process.env['LAB_CACHE_DIR'] ?? '/var/cache/calico-host-lab'

/** Two labs on one machine (two LAB_DIRs) must not share a cgroup: `down` kills what is in it. */
export const cgroupName = labDir.split('/').filter(Boolean).join('-')

export const labPath = (...parts: string[]): string => join(labDir, ...parts)

export const labNamespace = labPath('ns/lab')
export const engineSocket = labPath('engine/docker.sock')
