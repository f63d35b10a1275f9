import { watchBird } from '../../test/lab/index.ts'
import { alternate, type Part, type Stage, say } from './part.ts'
import { beginWithBothVersions, byAgent, byDocument, nextImage, tidy } from './upgrades.ts'

const world = { deadPeers: ['192.0.2.199'] }

export const deadPeer: Part = {
  name: 'dead-peer',
  title: 'recovery with a dead peer configured',
  how: `In addition to its live peer, the host has a peer whose address nobody uses, even before the upgrade. BIRD withholds
its routes until every peer has sent End-of-RIB, or until its graceful-restart wait of 240 s is over. The time is
measured from outside: from the last answer of the old BIRD until the recovery is over. The control is one round of
the procedure by hand, measured to its real end.`,
  meaning:
    'If only peers that were dead before the upgrade delay the recovery, the agent releases them, and enables them again afterwards. Without that, one dead host takes longer than the whole window of 90 s.',
  ratios: [{ key: 'deadPeerVsWait', of: 'agent', to: 'control' }],
  async measure(stage) {
    await beginWithBothVersions(stage, world)
    const agent = await alternate('dead-peer', stage.rounds, { agent: () => recoveryOf(stage, byAgent) })
    say('dead-peer: the control takes 4 minutes')
    const control = await alternate('dead-peer', 1, {
      control: () => recoveryOf(stage, (_, image) => byDocument(stage, image, world)),
    })
    return [...agent, ...control]
  },
}

async function recoveryOf(
  stage: Stage,
  upgrade: (stage: Stage, image: string) => Promise<void>,
): Promise<number> {
  const image = await nextImage(stage)
  const bird = await watchBird(stage.host)
  await upgrade(stage, image)
  const { recoveredMs } = await bird.recovered(300_000)
  await tidy(stage, world)
  return recoveredMs
}
