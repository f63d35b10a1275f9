/** Who may do what with a file; `mode` has the permission bits. */
export interface FileAccess {
  uid: number
  gid: number
  mode: number
}

/** A file of the host that a container is given by a setting, as the container sees it. */
export interface GivenFile {
  setting: string
  path: string
  hostPath: string
  /** From what is mounted down to the file itself, which comes last. */
  chain: FileAccess[]
}

/** Whom a program runs as; what is null cannot be told without the image's own files. */
interface User {
  uid: number | null
  gid: number | null
}

/** What `User` says: an id, a name, either with a group. Without a group Docker looks it up in the image. */
function parseUser(text: string, hasFurtherGroups: boolean): User {
  const [user = '', group] = text.split(':')
  const id = (word: string | undefined) => (word !== undefined && /^\d+$/.test(word) ? Number(word) : null)
  return {
    uid: user === '' || user === 'root' ? 0 : id(user),
    gid: hasFurtherGroups ? null : id(group),
  }
}

/** Files that the user cannot read for sure: what cannot be told counts as readable. */
export function unreadable(files: GivenFile[], userText: string, hasFurtherGroups: boolean): GivenFile[] {
  const user = parseUser(userText, hasFurtherGroups)
  return files.filter(
    ({ chain }) => !chain.every((access, i) => may(user, access, i === chain.length - 1 ? 4 : 1)),
  )
}

/** `bit`: 4 to read a file, 1 to go through a directory. */
function may({ uid, gid }: User, file: FileAccess, bit: 4 | 1): boolean {
  const has = (shift: number) => ((file.mode >> shift) & bit) !== 0
  if (uid === null || uid === 0) return true
  if (uid === file.uid) return has(6)
  if (gid === null) return has(3) || has(0)
  return gid === file.gid ? has(3) : has(0)
}

/** `0600, owned by 0:0` */
export function accessText({ chain }: GivenFile): string {
  const { mode, uid, gid } = chain.at(-1) ?? { mode: 0, uid: 0, gid: 0 }
  return `${(mode & 0o7777).toString(8).padStart(4, '0')}, owned by ${uid}:${gid}`
}
