import { watchBird } from '../../test/lab/index.ts'
import { alternate, type Part, type Stage } from './part.ts'
import { byAgent, byDocument } from './upgrades.ts'

export const pull: Part = {
  name: 'pull',
  title: 'window used when the image is not local',
  how: `The new image has 300 MB of layers that the host does not have. The registry runs on the same machine, and is as
fast as the disk. The window is measured from outside: from the last answer of the old BIRD until all sessions are
Established and the recovery is over.`,
  meaning:
    "The agent pulls before it stops anything, so the download uses none of the window's 90 s, however slow the registry is. The procedure by hand pulls while BIRD is down.",
  ratios: [{ key: 'pullWindowVsDocs', of: 'agent', to: 'document' }],
  measure: (stage) =>
    alternate('pull', stage.rounds, {
      agent: () => windowOf(stage, byAgent),
      document: () => windowOf(stage, byDocument),
    }),
}

async function windowOf(
  stage: Stage,
  upgrade: (stage: Stage, image: string) => Promise<void>,
): Promise<number> {
  const { lab, mesh, host } = stage
  // It removes every image but its own.
  await mesh.reset()
  const bird = await watchBird(host)
  await upgrade(stage, lab.registry.image('big'))
  const { recoveredMs } = await bird.recovered(300_000)
  return recoveredMs
}
