import type { Observed, ObservedImage } from '../model.ts'
import { type Rule, rulesOn } from './rule.ts'

/** The image can be had, and runs on this machine. */
export const imageRules = (imageOf: (observed: Observed) => ObservedImage | null): Rule[] => [
  ...rulesOn(imageOf, [
    {
      code: 'image-not-found',
      severity: 'error',
      about: 'the image can be had, from its registry or from this host',
      seen: ({ ref, local, remote }) =>
        `${ref} ${'digest' in remote ? remote.digest : ''}${local === null ? '' : ', known here'}`,
      // The registry's own words, with their own code.
      check: ({ local, remote }) => {
        if (!('error' in remote)) return null
        if (local === null) return remote.error
        const message = `${remote.error.message}; the local image is used`
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
        about: 'the image is built for this machine',
        seen: ({ platforms, here }) => (platforms.length === 0 ? 'the registry does not say' : here),
        check: ({ ref, platforms, here }) =>
          platforms.length === 0 || platforms.includes(here)
            ? null
            : {
                message: `cannot use ${ref}: it is for ${platforms.join(', ')}, this host is ${here}`,
                fix: `name an image that is built for ${here}`,
              },
      },
    ],
  ),
]
