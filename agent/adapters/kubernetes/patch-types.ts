import type { PatchType } from '../../ports/kubernetes.ts'

/** The media type of each. */
export const PATCH_TYPES: Record<PatchType, string> = {
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
}
