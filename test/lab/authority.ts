import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ensureDir, pathExists } from 'fs-extra/esm'
import { execOk } from './exec.ts'

export type Certificate = { cert: string; key: string }

export type Subject = {
  name: string
  group?: string
  /** As openssl writes them: IP:192.0.2.1, DNS:host1 */
  alternatives?: readonly string[]
}

/** A CA in a directory of its own. What it once issued under a file name stays as it is. */
export class Authority {
  readonly ca: string
  readonly caKey: string
  readonly #directory: string

  private constructor(directory: string) {
    this.#directory = directory
    this.ca = join(directory, 'ca.pem')
    this.caKey = join(directory, 'ca-key.pem')
  }

  static async in(directory: string): Promise<Authority> {
    const authority = new Authority(directory)
    if (await pathExists(authority.ca)) return authority
    await ensureDir(directory)
    const subject = ['-subj', '/CN=lab-ca', '-days', '30', '-out', authority.ca]
    await openssl('req', '-x509', ...newKey(authority.caKey), ...subject)
    return authority
  }

  /** For servers and for clients. */
  async issue(file: string, { name, group, alternatives = [] }: Subject): Promise<Certificate> {
    const [cert, key, request, extensions] = ['.pem', '-key.pem', '-request.pem', '.cnf'].map((end) =>
      join(this.#directory, `${file}${end}`),
    ) as [string, string, string, string]
    if (await pathExists(cert)) return { cert, key }
    const names = alternatives.length > 0 ? `subjectAltName=${alternatives.join(',')}\n` : ''
    await writeFile(extensions, `${names}extendedKeyUsage=serverAuth,clientAuth\n`)
    const subject = `${group === undefined ? '' : `/O=${group}`}/CN=${name}`
    await openssl('req', ...newKey(key), '-out', request, '-subj', subject)
    const signed = ['-CA', this.ca, '-CAkey', this.caKey, '-CAcreateserial', '-days', '30']
    await openssl('x509', '-req', '-in', request, '-out', cert, ...signed, '-extfile', extensions)
    return { cert, key }
  }

  async pem(): Promise<string> {
    return await readFile(this.ca, 'utf8')
  }
}

const openssl = (...args: string[]): Promise<string> => execOk(['openssl', ...args])

const newKey = (out: string): string[] => ['-newkey', 'rsa:2048', '-nodes', '-keyout', out]
