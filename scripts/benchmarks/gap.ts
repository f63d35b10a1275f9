import { watchBird } from '../../test/lab/index.ts'
import { alternate, type Part, type Stage } from './part.ts'
import { beginWithBothVersions, byAgent, byDocument, byFloor, nextImage, tidy } from './upgrades.ts'

export const gap: Part = {
  name: 'gap',
  title: 'how long BIRD is down',
  how: `calico/node is upgraded from one version to the other and back, with both images local. The gap is measured from
outside, with a connection to BIRD's socket every millisecond: from the last answer of the old BIRD to the first one
of the new BIRD. The procedure by hand is \`docker stop\`, \`docker rm\`, \`docker run\`. The floor is two plain API
calls: a KILL, and the start of a container that was created beforehand.`,
  meaning:
    'The shorter the gap, the sooner BIRD begins to restore its sessions. The floor waits for Docker to clean up after the KILL. The agent starts the new container as soon as it sees that BIRD is dead, so it can be below the floor.',
  ratios: [
    { key: 'gapVsDocs', of: 'agent', to: 'document', atMost: 0.7 },
    { key: 'gapVsFloor', of: 'agent', to: 'floor', atMost: 1.15 },
  ],
  async measure(stage) {
    await beginWithBothVersions(stage)
    return await alternate('gap', stage.rounds, {
      agent: () => gapOf(stage, byAgent),
      document: () => gapOf(stage, byDocument),
      floor: () => gapOf(stage, byFloor),
    })
  },
}

type Upgrade = (stage: Stage, image: string) => Promise<void>

async function gapOf(stage: Stage, upgrade: Upgrade): Promise<number> {
  const image = await nextImage(stage)
  const bird = await watchBird(stage.host)
  await upgrade(stage, image)
  const downMs = await bird.down(60_000)
  await tidy(stage)
  return downMs
}
