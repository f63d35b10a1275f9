import { beforeAll, describe, expect, it } from 'vitest'
import { installFaultyAgent } from '../faults/build.ts'
import { FAULTY_AGENT, flawsOf } from '../faults/trial.ts'
import type { Work } from '../faults/whole-host.ts'
import { image, lab } from './support.ts'

/** A spread of the fault points; scripts/soak takes all of them. */
const spread: { command: Work['command']; point: string; powerCut: boolean }[] = [
  { command: 'upgrade', point: 'after journal.append#1', powerCut: false },
  { command: 'upgrade', point: 'after docker.createContainer#1', powerCut: false },
  { command: 'upgrade', point: 'after docker.killContainer#1', powerCut: false },
  { command: 'upgrade', point: 'after docker.startContainer#1', powerCut: false },
  { command: 'upgrade', point: 'after docker.setRestartPolicy#2', powerCut: false },
  { command: 'upgrade', point: 'before docker.renameContainer#2', powerCut: false },
  { command: 'upgrade', point: 'after docker.killContainer#1', powerCut: true },
  { command: 'upgrade', point: 'after docker.startContainer#1', powerCut: true },
  { command: 'upgrade', point: 'after docker.setRestartPolicy#2', powerCut: true },
  { command: 'rollback', point: 'after docker.killContainer#1', powerCut: false },
  { command: 'rollback', point: 'after docker.setRestartPolicy#3', powerCut: true },
]

/** The same of a run that has CNI plugins as well: the set is old or new, never mixed. */
const withPlugins = [
  { point: 'before cni.stage#1', powerCut: false },
  { point: 'after cni.stage#1', powerCut: false },
  { point: 'after cni.keep#1', powerCut: false },
  { point: 'after cni.putInPlace#1', powerCut: false },
  { point: 'after cni.putInPlace#2', powerCut: false },
  { point: 'after docker.setRestartPolicy#2', powerCut: false },
  { point: 'after cni.putInPlace#1', powerCut: true },
]

describe('an agent that dies', () => {
  beforeAll(async () => {
    await installFaultyAgent(lab)
  })

  it('does so in a test build only: what is shipped has no fault points', async () => {
    const { hosts } = lab.workerMesh()
    const finds = (name: string) => hosts[0]?.run(['grep', '-qa', 'AGENT_FAULT', `/opt/calico-agent/${name}`])
    expect(await finds(FAULTY_AGENT)).toMatchObject({ code: 0 })
    expect(await finds('agent')).toMatchObject({ code: 1, stderr: '' })
  })

  it.each(spread)(
    '$command, $point (with a power cut: $powerCut) leaves a whole host after its resume',
    async ({ point, powerCut, command }) => {
      expect(
        await flawsOf(lab.workerMesh(), {
          death: { point },
          powerCut,
          work: { command, image: image('v2.6.12') },
        }),
      ).toEqual([])
    },
  )

  it.each(withPlugins)(
    '$point, CNI plugins in the run (with a power cut: $powerCut), leaves a whole host after its resume',
    async ({ point, powerCut }) => {
      const cni = lab.registry.cniImage('v2.0.6')
      const work = { command: 'upgrade', image: image('v2.6.12'), cni } as const
      expect(await flawsOf(lab.workerMesh(), { work, death: { point }, powerCut })).toEqual([])
    },
  )
})
