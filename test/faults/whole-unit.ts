import { isDeepStrictEqual } from 'node:util'
import { unitFiles } from '../e2e/units.ts'
import type { Host } from '../lab/index.ts'
import { nodes } from './whole-host.ts'
import type { Judge } from './whole-plugins.ts'

const IMAGE = /registry\.lab:5000\/calico\/node:[\w.-]+/g

/** The unit's files must be byte for byte what they are now, but for the image: they name the one that runs. */
export async function asTheUnitWas(host: Host): Promise<Judge> {
  const before = await unitFiles(host)
  return async (outcome) => {
    const [node] = (await nodes(host)).filter(({ State }) => State.Running)
    const running = node?.Config.Image ?? 'nothing'
    const expected = Object.entries(before).map(([path, text]) => [path, text.replaceAll(IMAGE, running)])
    const found = await unitFiles(host)
    if (isDeepStrictEqual(found, Object.fromEntries(expected))) return []
    return [`after ${outcome} ${running} runs, and the unit’s files are ${JSON.stringify(found)}`]
  }
}
