// What is asked of the files of a release; the tests ask it of what they build.

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { Spec, Validation } from '@cyclonedx/cyclonedx-library'
import { coerce, gt } from 'semver'
import { run } from '../run.ts'

/** Throws with what Debian's lintian finds. The check of spelling takes 20 s, for the words in Node's own code. */
export function checkDeb(deb: string, options: string[] = ['--dont-check-part', 'binaries/spelling']): void {
  run('lintian', ['--allow-root', '--fail-on', 'error,warning', ...options, deb])
}

/** The newest symbol versions that the libraries of RHEL 8 have. */
const rhel8: Record<string, string> = { GLIBC: '2.28', GLIBCXX: '3.4.25', CXXABI: '1.3.11' }

/** Throws unless the digests are right, and RHEL 8 has the libraries that the program asks for. */
export function checkRpm(rpm: string): void {
  run('rpm', ['--checksig', '--nosignature', rpm])
  const required = run('rpm', ['--query', '--package', '--requires', rpm])
  const symbols = [...required.matchAll(/\((GLIBC|GLIBCXX|CXXABI)_([\d.]+)\)/g)]
  if (symbols.length === 0) throw new Error(`cannot use ${rpm}: it requires no C library`)
  const newer = symbols.filter(([, library = '', version]) => isNewer(version, rhel8[library]))
  if (newer.length > 0)
    throw new Error(
      `cannot use ${rpm}: RHEL 8 has no ${newer.map(([, ...word]) => word.join('_')).join(', ')}`,
    )
}

const isNewer = (version = '', than = ''): boolean => gt(coerce(version) ?? '0.0.0', coerce(than) ?? '0.0.0')

/** What the executable of arm64 says, under qemu with the libraries of Debian's cross compiler. */
export const runArm64 = (executable: string, ...argv: string[]): string =>
  run('qemu-aarch64-static', ['-L', '/usr/aarch64-linux-gnu', executable, ...argv])

/** Throws unless it is CycloneDX by the letter. */
export async function checkSbom(file: string): Promise<void> {
  const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6)
  const mistakes: unknown = await validator.validate(await readFile(file, 'utf8'))
  if (mistakes !== null) throw new Error(`cannot use ${file}: ${JSON.stringify(mistakes)}`)
}

export async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  return hash.digest('hex')
}
