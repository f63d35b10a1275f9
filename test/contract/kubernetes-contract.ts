import { beforeEach, describe, expect, it } from 'vitest'
import {
  CORDON_ANNOTATION,
  clusterNode,
  cordonPatch,
  uncordonPatch,
} from '../../agent/core/kubernetes/node.ts'
import type { Kubernetes } from '../../agent/ports/kubernetes.ts'
import { patchNode } from '../../agent/steps/cordon/node.ts'

/** One Node that is schedulable, and somebody with kubectl. */
interface World {
  kubernetes: Kubernetes
  name: string
  uid: string
  kubectl(command: 'cordon' | 'uncordon'): Promise<void>
}

/** What the cordon relies on, of the API server and of the fake alike. */
export function kubernetesContract(of: string, make: () => Promise<World>): void {
  describe(`Kubernetes: ${of}`, () => {
    let world: World
    let kubernetes: Kubernetes
    let ref: { kind: 'Node'; name: string }

    beforeEach(async () => {
      world = await make()
      kubernetes = world.kubernetes
      ref = { kind: 'Node', name: world.name }
    })

    const nodeNow = async () => {
      const node = await kubernetes.get(ref)
      if (node === null) throw new Error('the Node is gone')
      return node
    }
    const seen = async () => clusterNode(await nodeNow())
    // its taints are written by others at any time
    const cordon = (run: string) => patchNode(kubernetes, world.name, (now) => cordonPatch(now, run))
    const uncordon = (run: string) => patchNode(kubernetes, world.name, (now) => uncordonPatch(now, run))

    it('reads a Node, and null where there is none', async () => {
      expect((await nodeNow()).metadata).toMatchObject({ name: world.name })
      expect(await kubernetes.get({ kind: 'Node', name: 'no-such-node' })).toBeNull()
    })

    it('cordons for a run and takes it back, and answers with the Node as it is then', async () => {
      const cordoned = { name: world.name, unschedulable: true, cordonedBy: 'calico-agent', run: 'run-1' }
      expect(await cordon('run-1')).toEqual(cordoned)
      expect(await seen()).toEqual(cordoned)
      expect(cordonPatch(await nodeNow(), 'run-1')).toBeNull()

      await uncordon('run-1')
      expect(await seen()).toMatchObject({ unschedulable: false, cordonedBy: null, run: null })
      expect((await nodeNow()).metadata.annotations ?? {}).not.toHaveProperty([CORDON_ANNOTATION])
    })

    it('passes the cordon of a run on to the next', async () => {
      await cordon('run-1')
      await cordon('run-2')
      expect(await seen()).toMatchObject({ run: 'run-2', cordonedBy: 'calico-agent' })
    })

    it('tells who cordoned it', async () => {
      await world.kubectl('cordon')
      expect(await seen()).toMatchObject({ unschedulable: true, cordonedBy: 'kubectl', run: null })
      expect(cordonPatch(await nodeNow(), 'run-1')).toBeNull()
    })

    it('tells a cordon of the run from one that was made anew', async () => {
      await cordon('run-1')
      await world.kubectl('cordon')
      expect(await seen()).toMatchObject({ run: 'run-1' })
      await world.kubectl('uncordon')
      await world.kubectl('cordon')
      expect(await seen()).toMatchObject({ unschedulable: true, cordonedBy: 'kubectl', run: null })
      await uncordon('run-1')
      expect(await seen()).toMatchObject({ unschedulable: true, cordonedBy: 'kubectl' })
    })

    it('changes nothing where a patch is only tried', async () => {
      await kubernetes.tryPatch(ref, { spec: { unschedulable: true } })
      await kubernetes.checkRight('delete', ref)
      expect(await seen()).toMatchObject({ unschedulable: false })
    })

    it('refuses a patch of a Node that has changed since, tried or not', async () => {
      const patch = cordonPatch(await nodeNow(), 'run-1') ?? {}
      await world.kubectl('cordon')
      const refused = { code: 'kubernetes-conflict' }
      await expect(kubernetes.tryPatch(ref, patch)).rejects.toMatchObject(refused)
      await expect(kubernetes.patch(ref, patch)).rejects.toMatchObject(refused)
      expect(await seen()).toMatchObject({ cordonedBy: 'kubectl', run: null })
    })

    it('refuses a patch of a Node that is not there', async () => {
      const nobody = { kind: 'Node', name: 'no-such-node' } as const
      const patch = { spec: { unschedulable: true } }
      await expect(kubernetes.patch(nobody, patch)).rejects.toMatchObject({ code: 'kubernetes-gone' })
      expect(await kubernetes.get(nobody)).toBeNull()
    })

    it('removes the object of that uid alone, and one that is gone no more', async () => {
      await kubernetes.remove(ref, '00000000-0000-0000-0000-000000000000')
      expect(await kubernetes.get(ref)).not.toBeNull()
      await kubernetes.remove(ref, world.uid)
      expect(await kubernetes.get(ref)).toBeNull()
      await kubernetes.remove(ref, world.uid)
    })
  })
}
