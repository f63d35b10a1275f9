import { refOf, refText } from '../kubernetes/manifest.ts'
import type { ObservedManifest } from '../kubernetes/observed-manifest.ts'
import type { BackPart } from './back.ts'
import { objectDiff } from './object-diff.ts'
import { type PlanPart, unchanged } from './part.ts'
import type { Plan } from './plan.ts'

/** The manifest under the name by which runs and their targets are compared. */
export const manifestName = (mark: string): string => `hosted.manifest ${mark}`

/** Applies the objects that are not as the manifest has them; Calico's pods are of other parts. */
export function manifestPart({ path, mark, objects, daemonSet, deployment }: ObservedManifest): PlanPart {
  const change = { from: path, to: manifestName(mark) }
  const isThere = objects.length === 0 && daemonSet === null && deployment === null
  if (isThere) return unchanged('manifest', change)
  return {
    component: 'manifest',
    change,
    prepare: [],
    move:
      objects.length === 0 ? [] : [{ kind: 'apply-objects', component: 'manifest', args: { path, objects } }],
    commits: [],
    diff: objects.flatMap(({ object, before, after }) => objectDiff(refText(refOf(object)), before, after)),
  }
}

/** Other hosts may still need what the new manifest grants: it stays. Null where the run changed none of it. */
export function manifestBackPart({ steps }: Plan): BackPart | null {
  const step = steps.find(({ kind }) => kind === 'apply-objects')
  if (step?.kind !== 'apply-objects') return null
  const { path, objects } = step.args
  const names = objects.map(({ object }) => refText(refOf(object))).join(', ')
  return {
    part: null,
    problems: [
      {
        code: 'manifest-kept',
        severity: 'warning',
        message: `these other objects that ${path} changed stay, because other hosts may need them: ${names}`,
        fix: 'once every host is rolled back, apply the previous manifest: kubectl apply -f FILE',
      },
    ],
  }
}
