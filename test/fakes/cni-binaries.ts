import { keptName, stagedName } from '../../agent/core/cni/files.ts'
import type { CniAnswer } from '../../agent/core/cni/version.ts'
import { AgentError, type Problem } from '../../agent/core/errors.ts'
import type { TriedPlugin } from '../../agent/core/model.ts'
import type {
  BinaryFacts,
  CniBinaries,
  CniPlace,
  KeptBinary,
  StagedBinary,
  StagedFacts,
  StageRequest,
} from '../../agent/ports/cni-binaries.ts'

/** Plugins in memory, held to the real ones by test/contract: the content of a file is its hash. */
export class FakeCniBinaries implements CniBinaries {
  /** By path. */
  readonly files = new Map<string, string>()
  /** What every source offers, by name. */
  readonly source = new Map<string, string>()
  problem: Problem | null = null
  optional = false
  written = false
  readonly ops: string[]

  constructor(ops: string[] = []) {
    this.ops = ops
  }

  directoryProblem(): Promise<Problem | null> {
    return Promise.resolve(this.problem)
  }

  installed(binDir: string, names: string[]): Promise<BinaryFacts[]> {
    return this.facts(names, (name) => `${binDir}/${name}`)
  }

  version(path: string): Promise<string | null> {
    return Promise.resolve(this.files.has(path) ? 'v1.0.0' : null)
  }

  calicoVersion(path: string): Promise<string | null> {
    return this.version(path)
  }

  cniVersions(): Promise<CniAnswer> {
    return Promise.resolve({ known: ['0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0'] })
  }

  async offered(_source: unknown, names: string[]): Promise<StagedFacts[]> {
    return await Promise.all(names.map(async (name) => ({ name, sha256: await this.sourced(name) })))
  }

  tried(): Promise<TriedPlugin[]> {
    return Promise.resolve([])
  }

  nodenameOptional(): Promise<boolean> {
    return Promise.resolve(this.optional)
  }

  nodenameWritten(): Promise<boolean> {
    return Promise.resolve(this.written)
  }

  async stage(place: CniPlace, { binaries }: StageRequest): Promise<StagedBinary[]> {
    const staged: StagedBinary[] = []
    for (const { name } of binaries) {
      const sha256 = await this.sourced(name)
      this.files.set(this.at(place, stagedName(place.run, name)), sha256)
      staged.push({ name, sha256, version: null })
    }
    this.ops.push(`stage ${binaries.map(({ name }) => name).join(' ')}`)
    return staged
  }

  staged(place: CniPlace, names: string[]): Promise<BinaryFacts[]> {
    return this.facts(names, (name) => this.at(place, stagedName(place.run, name)))
  }

  unstage(place: CniPlace, names: string[]): Promise<void> {
    for (const name of names) this.files.delete(this.at(place, stagedName(place.run, name)))
    this.ops.push(`unstage ${names.join(' ')}`)
    return Promise.resolve()
  }

  keep(place: CniPlace, binaries: KeptBinary[]): Promise<void> {
    for (const { name, existed } of binaries) {
      const live = this.files.get(this.at(place, name))
      const kept = this.at(place, keptName(place.run, name))
      if (existed && live !== undefined && !this.files.has(kept)) this.files.set(kept, live)
    }
    this.ops.push(`keep ${binaries.map(({ name }) => name).join(' ')}`)
    return Promise.resolve()
  }

  kept(place: CniPlace, names: string[]): Promise<BinaryFacts[]> {
    return this.facts(names, (name) => this.at(place, keptName(place.run, name)))
  }

  putInPlace(place: CniPlace, name: string): Promise<void> {
    this.move(this.at(place, stagedName(place.run, name)), this.at(place, name))
    this.ops.push(`put in place ${name}`)
    return Promise.resolve()
  }

  putBack(place: CniPlace, name: string): Promise<void> {
    this.move(this.at(place, keptName(place.run, name)), this.at(place, name))
    this.ops.push(`put back ${name}`)
    return Promise.resolve()
  }

  takeAway(place: CniPlace, name: string, sha256: string): Promise<void> {
    const path = this.at(place, name)
    const found = this.files.get(path)
    if (found !== undefined && found !== sha256)
      return Promise.reject(new AgentError('binary-changed', `cannot remove ${path}`, { fix: 'look' }))
    this.files.delete(path)
    this.ops.push(`take away ${name}`)
    return Promise.resolve()
  }

  private facts(names: string[], pathOf: (name: string) => string): Promise<BinaryFacts[]> {
    return Promise.resolve(names.map((name) => ({ name, sha256: this.files.get(pathOf(name)) ?? null })))
  }

  private sourced(name: string): Promise<string> {
    const found = this.source.get(name)
    if (found !== undefined) return Promise.resolve(found)
    const error = new AgentError('cni-binary-missing', `cannot use ${name}: it is not there`, { fix: 'look' })
    return Promise.reject(error)
  }

  private at({ binDir }: CniPlace, file: string): string {
    return `${binDir}/${file}`
  }

  private move(from: string, to: string): void {
    const content = this.files.get(from)
    if (content === undefined) return
    this.files.set(to, content)
    this.files.delete(from)
  }
}
