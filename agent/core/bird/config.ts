import { AgentError } from '../errors.ts'
import { configCode } from './config-text.ts'

/** What BIRD 1.6 announces without `graceful restart time` (BIRD 1.6 user's guide, protocol BGP). */
const DEFAULT_RESTART_TIME_S = 120

/**
 * Seconds for which the peers keep the routes while this BIRD is away (restart time, RFC 4724 section 3):
 * the smallest `graceful restart time` in the text of bird.cfg, or BIRD's default. Includes are not followed:
 * Calico's bird.cfg holds its BGP template itself.
 * @throws AgentError `bird-config-unreadable` when the time is not a plain number
 */
export function gracefulRestartSeconds(birdCfg: string): number {
  const times = [
    ...configCode(birdCfg).matchAll(/\bgraceful\s+restart\s+time\s+([^;}]*?)\s*(?:;|\}|$)/g),
  ].map((match) => seconds(match[1] ?? ''))
  return times.length === 0 ? DEFAULT_RESTART_TIME_S : Math.min(...times)
}

function seconds(text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text)
  throw new AgentError(
    'bird-config-unreadable',
    `cannot determine how long the peers wait for BIRD: "graceful restart time ${text}" is not a number`,
    { fix: 'set the time in bird.cfg as a number of seconds' },
  )
}
