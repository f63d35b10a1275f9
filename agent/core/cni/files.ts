/**
 * Names of the agent's own files beside the plugins. They begin with a dot and hold the run's name: no CNI config names
 * such a type, so that no kubelet takes one for a plugin.
 */
export function stagedName(run: string, plugin: string): string {
  return `.calico-agent-${run}-${plugin}.new`
}

/** The hard link that keeps the plugin that was replaced, its times and attributes with it. */
export function keptName(run: string, plugin: string): string {
  return `.calico-agent-${run}-${plugin}.old`
}

/** Whether the file is of any run, staged for this plugin. */
export function isStagedFor(plugin: string, file: string): boolean {
  const run = /^\.calico-agent-(\d{8}T\d{6}Z-[0-9a-f]{4})-/.exec(file)?.[1]
  return run !== undefined && file === stagedName(run, plugin)
}
