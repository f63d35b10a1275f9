/** What a pod template, and with it each pod of it, says of its origin. */
export interface Marks {
  /** The `hosted.configMap` that it was started with. */
  config?: string
  /** The template of `hosted.manifest` that it was made from. */
  manifest?: string
}

export const CONFIG_ANNOTATION = 'calico-agent/config'
export const MANIFEST_ANNOTATION = 'calico-agent/manifest'

/** Absent where it says nothing. */
export function marksOf({ metadata }: { metadata?: { annotations?: Record<string, string> } }): Marks {
  const { [CONFIG_ANNOTATION]: config, [MANIFEST_ANNOTATION]: manifest } = metadata?.annotations ?? {}
  return { ...(config !== undefined && { config }), ...(manifest !== undefined && { manifest }) }
}
