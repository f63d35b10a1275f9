import { beforeEach, describe, expect, it } from 'vitest'
import { type AnyObject, asWritten, refOf } from '../../agent/core/kubernetes/manifest.ts'
import type { AnyKinds } from '../../agent/ports/kubernetes.ts'

interface World {
  api: AnyKinds
  /** A name that no object has yet. */
  name: string
  /** Somebody sets a key of the ConfigMap by this field manager. */
  edit(key: string, value: string, manager: string): Promise<void>
}

/** What a manifest relies on, of the API server and of the fake alike. */
export function anyKindsContract(of: string, make: () => Promise<World>): void {
  describe(`objects of any kind: ${of}`, () => {
    let world: World
    let api: AnyKinds
    let object: AnyObject

    beforeEach(async () => {
      world = await make()
      api = world.api
      object = {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: world.name, namespace: 'default' },
        data: { one: '1', two: '2' },
      }
    })

    const dataNow = async (): Promise<unknown> => (await api.getObject(refOf(object)))?.['data']

    it('are created and changed by an apply, and read as they are', async () => {
      expect(await api.getObject(refOf(object))).toBeNull()
      const created = await api.applyObject(object)
      expect(created).toMatchObject({ kind: 'ConfigMap', data: { one: '1', two: '2' } })
      const found = await api.getObject(refOf(object))
      expect(found && asWritten(found)).toEqual(asWritten(created))
      expect(await api.applyObject({ ...object, data: { one: '1', two: 'II' } })).toMatchObject({
        data: { one: '1', two: 'II' },
      })
    })

    it('of a kind without a namespace as well', async () => {
      const rules = [{ apiGroups: [''], resources: ['nodes'], verbs: ['get'] }]
      const role = {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRole',
        metadata: { name: world.name },
        rules,
      }
      await api.applyObject(role)
      expect(await api.getObject(refOf(role))).toMatchObject({ rules })
    })

    it('stay as they are where an apply is only tried, which tells what would be', async () => {
      await api.applyObject(object)
      expect((await api.tryObject({ ...object, data: { one: 'I' } })).object).toMatchObject({
        data: { one: 'I' },
      })
      expect(await dataNow()).toEqual({ one: '1', two: '2' })
      const other = { ...object, metadata: { ...object.metadata, name: `${world.name}-2` } }
      expect((await api.tryObject(other)).object).toMatchObject({ data: { one: '1' } })
      expect(await api.getObject(refOf(other))).toBeNull()
    })

    it('tell whose fields an apply would take, and it takes them', async () => {
      await api.applyObject(object)
      expect((await api.tryObject({ ...object, data: { one: 'I' } })).conflicts).toEqual([])
      await world.edit('one', 'mine', 'kubectl-edit')
      expect((await api.tryObject({ ...object, data: { one: 'I', two: 'II' } })).conflicts).toEqual([
        { manager: 'kubectl-edit', field: 'data.one' },
      ])
      expect(await dataNow()).toMatchObject({ one: 'mine' })
      await api.applyObject({ ...object, data: { one: 'I', two: 'II' } })
      expect(await dataNow()).toEqual({ one: 'I', two: 'II' })
    })

    it('are patched, unless they have changed since, or are gone', async () => {
      const { metadata } = await api.applyObject(object)
      const { resourceVersion = '' } = metadata as { resourceVersion?: string }
      await api.patchObject(refOf(object), { metadata: { resourceVersion }, data: { two: null } })
      expect(await dataNow()).toEqual({ one: '1' })
      await expect(
        api.patchObject(refOf(object), { metadata: { resourceVersion }, data: { one: null } }),
      ).rejects.toMatchObject({ code: 'kubernetes-conflict' })
      expect(await api.patchObject({ ...refOf(object), name: `${world.name}-gone` }, { data: {} })).toBeNull()
    })

    it('are refused where their namespace is missing', async () => {
      const stray = { ...object, metadata: { name: world.name, namespace: 'no-such-namespace' } }
      for (const ask of [() => api.tryObject(stray), () => api.applyObject(stray)])
        await expect(ask()).rejects.toMatchObject({ code: 'kubernetes-gone' })
    })

    it('are refused where the API server does not serve their kind', async () => {
      const unknown = { ...object, apiVersion: 'example.com/v1', kind: 'Whatever' }
      for (const ask of [() => api.getObject(refOf(unknown)), () => api.tryObject(unknown)])
        await expect(ask()).rejects.toMatchObject({
          code: 'kubernetes-refused',
          message: 'cannot find Whatever of example.com/v1: this API server does not serve it',
        })
    })
  })
}
