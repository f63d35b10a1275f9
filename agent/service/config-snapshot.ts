import type { Config } from '../config/schema.ts'
import { wantedOf } from '../config/wanted.ts'
import { AgentError } from '../core/errors.ts'
import { targetOf, targetText } from '../stories/held-target.ts'
import type { ConfigSnapshot } from './loop.ts'

/** The config file as it was read. `config` is there when it is valid. */
export interface ConfigRead {
  snapshot: ConfigSnapshot
  config: Config | null
}

/** A config that cannot be read, or is invalid, is a snapshot too. */
export async function readConfig(load: () => Promise<Config>): Promise<ConfigRead> {
  try {
    const config = await load()
    return { config, snapshot: snapshotOf(config) }
  } catch (error) {
    if (!(error instanceof AgentError)) throw error
    return { config: null, snapshot: { kind: 'invalid', problems: error.asProblems() } }
  }
}

/** A run does not depend on how the service itself is set up. */
function snapshotOf(config: Config): ConfigSnapshot {
  const manifest = config.manifest?.mark
  const asked = { ...config, manifest, apply: undefined, service: undefined, retention: undefined }
  return {
    kind: 'valid',
    apply: config.apply,
    target: targetText(targetOf(wantedOf(config, []))),
    fingerprint: JSON.stringify(asked),
  }
}
