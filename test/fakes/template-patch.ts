import type { PodTemplate } from '../../agent/core/kubernetes/pod.ts'
import { merged } from './merged.ts'

type Patch = Partial<PodTemplate> & { $patch?: string }

/** What a strategic merge patch makes of a template, as far as the agent writes such. */
export function patchedTemplate(template: PodTemplate, { $patch, ...patch }: Patch): PodTemplate {
  if ($patch === 'replace') return structuredClone(patch as PodTemplate)
  const next = structuredClone(template)
  if (patch.metadata) next.metadata = merged(next.metadata ?? {}, patch.metadata) as typeof patch.metadata
  for (const list of ['initContainers', 'containers'] as const)
    for (const { name, image } of patch.spec?.[list] ?? [])
      next.spec[list] = (next.spec[list] ?? []).map((one) => (one.name === name ? { ...one, image } : one))
  return next
}
