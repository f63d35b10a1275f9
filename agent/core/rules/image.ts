import type { Observed, ObservedImage } from '../model.ts'
import { type Rule, rulesOn } from './rule.ts'

/** The image is available, and runs on this machine. */
export const imageRules = (imageOf: (observed: Observed) => ObservedImage | null): Rule[] => [
  ...rulesOn(imageOf, [
    {
      code: 'image-not-found',
      severity: 'error',
      about: 'the image is available',
      seen: ({ ref, local, remote }) =>
        `${'digest' in remote ? `${ref} ${remote.digest}` : ref}${local === null ? '' : ', present on this host'}`,
      // The registry's own words, with their own code.
      check: ({ local, remote }) => {
        if (!('error' in remote)) return null
        if (local === null) return remote.error
        const message = `${remote.error.message}; using the local image`
        return { ...remote.error, severity: 'warning', message }
      },
    },
  ]),
  ...rulesOn(
    (observed) => {
      const image = imageOf(observed)
      const { os, architecture } = observed.engine
      return image && 'platforms' in image.remote
        ? { ref: image.ref, platforms: image.remote.platforms, here: `${os}/${architecture}` }
        : null
    },
    [
      {
        code: 'wrong-architecture',
        severity: 'error',
        about: 'the image is built for this host',
        seen: ({ platforms, here }) => (platforms.length === 0 ? 'the registry names no platform' : here),
        check: ({ ref, platforms, here }) =>
          platforms.length === 0 || platforms.includes(here)
            ? null
            : {
                message: `cannot use ${ref}: it is built for ${platforms.join(', ')}, and this host is ${here}`,
                fix: `use an image that is built for ${here}`,
              },
      },
    ],
  ),
]
