import { imageVersion } from '../docker/health.ts'
import { tagOf } from '../docker/image-ref.ts'
import type { Observed } from '../model.ts'
import { askedVersion, nodeVersions, versionText } from '../release/node-versions.ts'
import { COMPONENTS, type Release, releaseImages, releaseOfNode } from '../release/releases.ts'
import type { Wanted } from '../wanted.ts'
import { type Objection, type Rule, rulesOn } from './rule.ts'

/** What this host will run, and what the release has; null if not known. */
interface ComponentSet {
  versions: Record<(typeof COMPONENTS)[number], string | null>
  release: Release | null
}

/** Node, CNI plugin and controllers are of one release, as far as this host has them. */
export const setRules: Rule[] = rulesOn(setOf, [
  {
    code: 'mismatched-set',
    severity: 'warning',
    about: 'node, CNI plugins and controllers belong to one release',
    seen: ({ versions, release }) =>
      `${release?.name ?? 'no known release'}: ${COMPONENTS.map((one) => `${one} ${versionText(versions[one])}`).join(', ')}`,
    check: ({ versions, release }) =>
      release === null
        ? null
        : COMPONENTS.flatMap((component) => mismatch(component, versions, release) ?? []),
  },
])

function setOf(
  { node, image, companions, cni, controllersImage: next }: Observed,
  wanted: Wanted,
): ComponentSet | null {
  if (node === null || image === null) return null
  const { to } = nodeVersions(node, image)
  const controllers = next ? askedVersion(next) : companions.controllers
  const versions = { node: to, cni: cni === null ? companions.cni : cni.version, controllers }
  return { versions, release: wanted.release ?? releaseByNode(to) }
}

/** If no release is requested, the node's version identifies it. */
function releaseByNode(version: string | null): Release | null {
  const name = version === null ? null : releaseOfNode(version)
  const images = name === null ? null : releaseImages(name, { registry: 'quay.io', releases: {} })
  return name === null || images === null ? null : { name, images }
}

function mismatch(
  component: (typeof COMPONENTS)[number],
  versions: ComponentSet['versions'],
  { name, images }: Release,
): Objection | null {
  const here = versions[component]
  const image = images[component]
  const there = imageVersion(tagOf(image), null)
  if (here === null || there === null || here === there) return null
  return {
    message: `this host will run ${component} v${here}, but release ${name} includes v${there}`,
    fix:
      component === 'node'
        ? `set release ${name} or the node's image, not both`
        : `upgrade it to ${image} too`,
  }
}
