import type { Host } from '../lab/index.ts'
import { type BackgroundAgent, startAgent } from './background.ts'
import { image, lab } from './support.ts'

/** What the log says when a run gets there. */
export const MOMENTS = {
  pullBegins: /pull-image: doing/,
  pulling: /"event":"pull"/,
  windowOpen: /"event":"window-open"/,
  birdUp: /"mark":"bird-up"/,
  recovered: /"mark":"recovered"/,
} as const

/** 300 MB at 1 MiB/s: whatever is to happen in a pull happens in this one. */
export const slowImage = lab.registry.faultyImage('slow', 'big')

export const UPGRADED = ['calico-node v2.6.12 running always', 'calico-node-parked-RUN v2.6.5 exited no']

/** An upgrade that has come so far, and goes on. */
export async function upgradeUntil(
  host: Host,
  moment: RegExp,
  flags: string[],
  node = image('v2.6.12'),
): Promise<BackgroundAgent> {
  const run = await startAgent(host, 'upgrade', '--node', node, ...flags)
  await run.untilLogs(moment)
  return run
}
