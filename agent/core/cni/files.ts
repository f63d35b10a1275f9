/**
 * Names of the agent's own files beside the plugins. They begin with a dot and contain the run's name: no CNI config names
 * such a type, and libcni uses only regular files as plugins (pkg/invoke, FindInPath).
 */

/** A run's directory of staged plugins. Its own, since Calico's program acts by the last part of argv[0]. */
export function stagingName(run: string): string {
  return `.calico-agent-${run}.new`
}

export function stagedName(run: string, plugin: string): string {
  return `${stagingName(run)}/${plugin}`
}

/** Where earlier versions of the agent staged it: a journal of theirs may still be open. */
export function flatStagedName(run: string, plugin: string): string {
  return `.calico-agent-${run}-${plugin}.new`
}

/** The hard link that keeps the replaced plugin, with its times and attributes. It is never run. */
export function keptName(run: string, plugin: string): string {
  return `.calico-agent-${run}-${plugin}.old`
}

const RUN = String.raw`\d{8}T\d{6}Z-[0-9a-f]{4}`
const STAGING = new RegExp(`^\\.calico-agent-(${RUN})\\.new$`)
const FLAT = new RegExp(`^\\.calico-agent-(${RUN})-`)

/** The runs that have a directory of staged plugins among the entries. */
export function stagingRuns(entries: string[]): string[] {
  return entries.flatMap((entry) => STAGING.exec(entry)?.[1] ?? [])
}

/** Where any run may have staged the plugin, according to the entries of a directory. */
export function stagedIn(entries: string[], plugin: string): string[] {
  return entries.flatMap((entry) => {
    const run = STAGING.exec(entry)?.[1]
    if (run !== undefined) return [stagedName(run, plugin)]
    const flat = FLAT.exec(entry)?.[1]
    return flat !== undefined && entry === flatStagedName(flat, plugin) ? [entry] : []
  })
}
