import type { Config } from '../config/schema.ts'
import { wantedOf } from '../config/wanted.ts'
import { AgentError } from '../core/errors.ts'
import { targetOf, targetText } from '../held.ts'
import type { Seen } from './loop.ts'

/** One look at the config file. `config` is there when it is valid. */
export interface Look {
  seen: Seen
  config: Config | null
}

/** A config that cannot be read or is wrong is something seen as well. */
export async function look(load: () => Promise<Config>): Promise<Look> {
  try {
    const config = await load()
    return { config, seen: seenOf(config) }
  } catch (error) {
    if (!(error instanceof AgentError)) throw error
    return { config: null, seen: { kind: 'invalid', problems: error.asProblems() } }
  }
}

/** How the service itself is set up is no part of what a run depends on. */
function seenOf(config: Config): Seen {
  const asked = { ...config, apply: undefined, service: undefined, retention: undefined }
  return {
    kind: 'valid',
    apply: config.apply,
    target: targetText(targetOf(wantedOf(config, []))),
    fingerprint: JSON.stringify(asked),
  }
}
