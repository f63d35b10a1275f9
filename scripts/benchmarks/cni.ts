import type { Report } from '../../agent/core/report/report.ts'
import { BIN_DIR, installOldPlugins } from '../../test/lab/index.ts'
import { alternate, type Part, type Stage } from './part.ts'

const PLUGINS = ['calico', 'calico-ipam']
const MOVES = ['stage-binaries', 'swap-binaries']

export const cni: Part = {
  name: 'cni',
  title: 'CNI plugins from an image',
  how: `Two plugins of 40 MB each are replaced with those of the other image and back, with both images local. Agent: its
steps \`stage-binaries\` and \`swap-binaries\`, and the whole command around them. By hand: \`docker create\`, \`docker cp\`
and \`mv\` of each plugin, \`docker rm\`, in one shell on the host. Unchanged: the whole command when the host already
has the image's plugins.`,
  meaning:
    'The agent syncs what it writes, checks and hashes it, runs each plugin twice, and reads back what is staged and what is live. `docker cp` does none of this. None of it is in the window, and no pod waits for it: the live names change with two renames.',
  ratios: [
    { key: 'cniVsByHand', of: 'agent', to: 'by hand' },
    { key: 'cniUnchangedVsCommand', of: 'unchanged', to: 'whole command' },
  ],
  async measure(stage) {
    const { host, lab, mesh } = stage
    await mesh.reset()
    await installOldPlugins(host)
    const images = ['big', 'big-next'].map((tag) => lab.registry.cniImage(tag))
    for (const image of images) await host.ok(['docker', 'pull', '--quiet', image], { timeoutMs: 120_000 })
    // what the images have is known after this, as it is to any agent that has seen them before
    for (const image of images) await upgrade(stage, image)
    let turn = 0
    const next = () => images[turn++ % images.length] ?? ''
    const commands: number[] = []
    const series = await alternate('cni', stage.rounds, {
      agent: async () => {
        const { report, ms } = await upgrade(stage, next())
        commands.push(ms)
        return stepTime(report)
      },
      'by hand': () => byHand(stage, next()),
      unchanged: async () => {
        const image = images[(turn + images.length - 1) % images.length] ?? ''
        await upgrade(stage, image)
        return (await upgrade(stage, image)).ms
      },
    })
    return [...series, { label: 'whole command', values: commands }]
  },
}

async function upgrade({ host, agent }: Stage, image: string): Promise<{ report: Report; ms: number }> {
  const begin = performance.now()
  const stdout = await host.ok([agent, 'upgrade', '--cni', image, '--json'], { timeoutMs: 120_000 })
  return { report: JSON.parse(stdout) as Report, ms: performance.now() - begin }
}

function stepTime({ steps, outcome }: Report): number {
  const moves = steps.filter(({ kind }) => MOVES.includes(kind))
  if (moves.length !== MOVES.length) throw new Error(`cannot measure a run that is ${outcome}`)
  return moves.reduce((sum, { ms }) => sum + ms, 0)
}

async function byHand({ host }: Stage, image: string): Promise<number> {
  const copies = PLUGINS.map(
    (name) =>
      `docker cp $id:${BIN_DIR}/${name} ${BIN_DIR}/.next && mv -f ${BIN_DIR}/.next ${BIN_DIR}/${name}`,
  )
  const script = [`id=$(docker create ${image} x)`, ...copies, 'docker rm $id'].join(' && ')
  const begin = performance.now()
  await host.ok(['sh', '-c', script])
  return performance.now() - begin
}
