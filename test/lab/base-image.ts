import { cached } from './cache.ts'
import { execOk } from './exec.ts'

/** A tar of Debian as small as the agent's image needs its base: it stands in for the one of a registry. */
export async function baseRootTar(): Promise<string> {
  const options = ['--variant=essential', '--format=tar', '--include=iproute2,libstdc++6']
  return await cached('base-root', options, async (target) => {
    await execOk(['mmdebstrap', ...options, 'bookworm', target])
  })
}
