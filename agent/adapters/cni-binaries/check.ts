import { ELF_HEAD_BYTES, elfArchitecture } from '../../core/cni/elf.ts'
import { unsupportedVersion } from '../../core/cni/version.ts'
import type { AgentError } from '../../core/errors.ts'
import type { StagedBinary, StageRequest } from '../../ports/cni-binaries.ts'
import { cniVersionsOf, versionOf } from './plugin.ts'
import { refused } from './source.ts'

/** In the names that images use. */
const hostArchitecture: string =
  ({ x64: 'amd64', ia32: '386', ppc64: 'ppc64le' } as Record<string, string>)[process.arch] ?? process.arch

/** What was copied: the file's own facts. */
export interface Copied {
  name: string
  executable: boolean
  sha256: string
  head: Uint8Array
}

/** A program for this machine. */
export function checkContent({ name, executable, head }: Omit<Copied, 'sha256'>): void {
  const architecture = elfArchitecture(head.subarray(0, ELF_HEAD_BYTES))
  if (architecture === null) throw wrong('cni-binary-invalid', name, 'it is not an ELF program', SEE_SOURCE)
  if (architecture !== hostArchitecture) {
    const reason = `it is built for ${architecture}, and this host is ${hostArchitecture}`
    throw wrong('cni-binary-wrong-architecture', name, reason, `use a source for ${hostArchitecture}`)
  }
  if (!executable)
    throw wrong('cni-binary-invalid', name, 'it is not executable in the source', 'chmod +x it')
}

/** The one that is asked for. */
export function checkSum({ name, sha256 }: Pick<Copied, 'name' | 'sha256'>, wanted: string | null): void {
  if (wanted !== null && wanted !== sha256) {
    const reason = `its SHA-256 is ${sha256}, expected ${wanted}`
    throw wrong('cni-binary-checksum', name, reason, `${SEE_SOURCE}, and check cni.sha256 in the config`)
  }
}

const SEE_SOURCE = 'check that this is the source you want'

/** Runs it where it lies, so that it is known to start on this host and file system. */
export async function tryOut(
  path: string,
  { name, sha256 }: Pick<Copied, 'name' | 'sha256'>,
  { cniVersion }: Pick<StageRequest, 'cniVersion'>,
): Promise<StagedBinary> {
  const [version, answer] = await Promise.all([versionOf(path), cniVersionsOf(path)])
  if ('failure' in answer) throw doesNotStart(name, answer.failure)
  const tooOld = cniVersion === null ? null : unsupportedVersion(cniVersion, answer.known)
  if (tooOld) throw wrong('cni-binary-too-old', name, tooOld.reason, tooOld.fix)
  return { name, sha256, version }
}

export function doesNotStart(name: string, failure: string): AgentError {
  const fix = 'run it by hand: echo {} | CNI_COMMAND=VERSION ./' + name
  return wrong('cni-binary-does-not-start', name, failure, fix)
}

function wrong(code: string, name: string, reason: string, fix: string): AgentError {
  return refused(code, `the CNI plugin ${name}`, reason, { fix })
}
