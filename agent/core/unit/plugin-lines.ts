import { type Command, commandsIn, shown } from './command-lines.ts'
import type { UnitSource } from './commands.ts'

/** Programs that only read, or get the directory as an argument. */
const READS =
  /(^|\/)(\[|\[\[|test|ls|stat|cat|echo|printf|logger|du|file|md5sum|sha\d+sum|kubelet|hyperkube|dockerd|containerd|cri-dockerd|crio)$/

/**
 * Lines of a unit, and of the scripts that they name, that may write to a directory of plugins: any line that uses
 * it for more than reading. The lines are as written, without secrets.
 */
export function linesThatWrite(source: UnitSource, binDir: string): string[] {
  const writing = commandsIn(source).filter((command) => mayWrite(command, binDir))
  return [...new Set(writing.map(({ line }) => shown(line)))]
}

function mayWrite({ words }: Command, binDir: string): boolean {
  const [program = '', ...args] = words
  // a kubelet in a container gets it as an argument too
  if (READS.test(program) || args.some((word) => /^(\/\S*\/)?(kubelet|hyperkube)$/.test(word))) return false
  return args.some((word) => mentions(word, binDir))
}

/** Itself, what is in it, or what it is in: an archive is unpacked, or a volume mounted, one above. A mount may be read-only. */
function mentions(word: string, binDir: string): boolean {
  const above = binDir.replace(/\/[^/]+$/, '')
  const places = above.lastIndexOf('/') > 0 ? [binDir, above] : [binDir]
  return word
    .split(/[\s='",;|&()<>]+/)
    .filter((part) => !/:ro(,|$)/.test(part))
    .flatMap((part) => part.split(':'))
    .some((part) => places.includes(part.replace(/\/+$/, '')) || part.startsWith(`${binDir}/`))
}
