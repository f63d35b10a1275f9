import { join } from 'node:path'
import { ELF_HEAD_BYTES } from '../../core/cni/elf.ts'
import type { CniAnswer } from '../../core/cni/version.ts'
import type { TriedPlugin } from '../../core/model.ts'
import { checkContent, doesNotStart } from './check.ts'
import { directorySource } from './directory-source.ts'
import { cniVersionsOf } from './plugin.ts'

/** It may start all the same where it will be staged. */
const NOT_RUN_HERE = /\(EACCES\)/

/**
 * The CNI versions that the plugins of a directory know, tried where they lie; null where that file system runs none.
 * @throws AgentError for the first that cannot be used
 */
export async function tryInPlace(path: string, names: string[], signal: AbortSignal): Promise<TriedPlugin[]> {
  const tried: TriedPlugin[] = []
  const look = directorySource(path)
  await look(
    names,
    async ({ name, executable, content }) => {
      let head = Buffer.alloc(0)
      for await (const chunk of content) {
        head = Buffer.concat([head, chunk.subarray(0, ELF_HEAD_BYTES)])
        if (head.length >= ELF_HEAD_BYTES) break
      }
      checkContent({ name, executable, head })
      tried.push({ name, known: knownOf(name, await cniVersionsOf(join(path, name))) })
    },
    signal,
  )
  return tried
}

function knownOf(name: string, answer: CniAnswer): string[] | null {
  if ('known' in answer) return answer.known
  if (NOT_RUN_HERE.test(answer.failure)) return null
  throw doesNotStart(name, answer.failure)
}
