import type { ManifestFile } from '../core/pod/manifest.ts'

export interface FileAttributes {
  mode: number
  uid: number
  gid: number
}

/**
 * The manifests of static pods. Every name that does not begin with a dot is live (kubelet/config/file.go): what is
 * kept beside them starts with a dot.
 */
export interface Manifests {
  /** The files that the kubelet reads in the directory; none where there is no such directory. */
  list(directory: string): Promise<ManifestFile[]>
  /** Null where there is no such file. @throws AgentError `cannot-read` */
  read(path: string): Promise<string | null>
  /** Why nothing can be written there, such as a read-only file system; null where it can. */
  whyReadOnly(directory: string): Promise<string | null>
  attributes(path: string): Promise<FileAttributes | null>
  /** Gives the file another name in its directory, durably. @throws AgentError `cannot-write` */
  takeOut(path: string, wayBack: string): Promise<void>
  /** Puts a whole manifest in place, durably. @throws AgentError `cannot-write` */
  put(path: string, text: string, attributes: FileAttributes): Promise<void>
  /** Durably; one that is gone is no error. @throws AgentError `cannot-write` */
  remove(path: string): Promise<void>
  /** The file as it was in place again; false where `wayBack` is gone. @throws AgentError `cannot-write` */
  bringBack(wayBack: string, path: string): Promise<boolean>
}
