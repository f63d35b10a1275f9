import { AgentError } from '../../core/errors.ts'
import type { Step, StepContext } from '../step.ts'

const POLL_MS = 250
const START_MS = 30_000
/** A kubelet that cannot use its config exits within this time. */
const SETTLE_MS = 5_000

/** For a kubelet that reads its CNI config only when it starts. Pods keep running. */
export const restartKubelet: Step<'restart-kubelet'> = {
  moves: true,
  describe: ({ unit }) => `restart ${unit}: it reads the CNI config only when it starts`,

  async capture({ unit }, { kubelet }) {
    return { startedAt: await kubelet.startedAt(unit) }
  },

  async do({ unit }, { startedAt }, { kubelet }) {
    // a kubelet that started after the config was written has read it
    if (hasRestarted(await kubelet.startedAt(unit), startedAt)) return
    await kubelet.restart(unit)
  },

  async verify({ unit }, { startedAt }, context) {
    const began = await untilRestarted(unit, startedAt, context)
    await context.clock.sleep(SETTLE_MS, context.signal)
    const now = await context.kubelet.startedAt(unit)
    if (now !== began) throw failed(unit, now === null ? 'it does not stay up' : 'it keeps restarting')
    return {}
  },

  goesOn: () => Promise.resolve(true),

  /** The restart with the old config comes when that is back: undo of `write-cni-config`. */
  undo: () => Promise.resolve({}),
}

async function untilRestarted(
  unit: string,
  before: number | null,
  { kubelet, clock, signal }: StepContext,
): Promise<number> {
  const deadline = clock.now() + START_MS
  for (;;) {
    const began = await kubelet.startedAt(unit)
    if (began !== null && hasRestarted(began, before)) return began
    if (clock.now() >= deadline) throw failed(unit, 'it does not start')
    await clock.sleep(POLL_MS, signal)
  }
}

function hasRestarted(now: number | null, before: number | null): boolean {
  return now !== null && now !== before
}

function failed(unit: string, why: string): AgentError {
  return new AgentError(
    'kubelet-failed',
    `cannot keep the new CNI config: ${unit} was restarted, and ${why}`,
    {
      fix: `journalctl -u ${unit}`,
    },
  )
}
