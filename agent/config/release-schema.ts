import * as z from 'zod'
import { COMPONENTS, isSameRelease, type ReleaseSources, releaseImages } from '../core/release/releases.ts'
import { imageRef } from './image-schema.ts'

export const releaseName = z
  .string()
  .regex(/^v?\d+\.\d+\.\d+(?:-[\w.-]+)?$/, 'must be a release, such as v2.6.12')

export const releaseEntry = z.strictObject({
  node: imageRef.optional(),
  cni: imageRef.optional(),
  controllers: imageRef.optional(),
})

/** Two names of one release. */
function refuseTwins(releases: ReleaseSources['releases'], context: z.RefinementCtx): void {
  const names = Object.keys(releases)
  for (const [i, name] of names.entries()) {
    const twin = names.slice(0, i).find((earlier) => isSameRelease(earlier, name))
    if (twin === undefined) continue
    context.addIssue({
      code: 'custom',
      path: [name],
      message: `${twin} is the same release: remove one of the two`,
    })
  }
}

/** An entry may leave out what the built-in table has. */
function checkEntries(releases: ReleaseSources['releases'], context: z.RefinementCtx): void {
  for (const [name, entry] of Object.entries(releases)) {
    if (releaseImages(name, { registry: '', releases }) !== null) continue
    const missing = COMPONENTS.filter((component) => entry[component] === undefined)
    context.addIssue({
      code: 'custom',
      path: [name],
      message: `no image for ${missing.join(' and ')}, and the built-in table does not have this release`,
    })
  }
}

export const releaseTable = z
  .record(releaseName, releaseEntry)
  .superRefine(refuseTwins)
  .superRefine(checkEntries)
