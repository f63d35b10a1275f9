import { describe, expect, it } from 'vitest'
import { AgentError } from '../../agent/core/errors.ts'
import { FakeHost } from './fake-host.ts'

const create = () => FakeHost.create({ withConfig: true })
const ofConfig = (ops: string[]): string[] => ops.filter((op) => /^(configs|kubelet)/.test(op))

const REPLACE = 'configs replace /etc/cni/net.d/10-calico.conf'
const RESTORE = 'configs restore /etc/cni/net.d/10-calico.conf'
const RESTART = 'kubelet restart kubelet.service'
const REMOVE = 'configs remove /etc/cni/net.d/.10-calico.conf.calico-agent-20261122T141503Z-7f3a.old'

describe('a run that changes the CNI config too', () => {
  it('writes it when the new node stands, restarts the kubelet, commits, and removes the way back', async () => {
    const host = await create()
    expect(await host.run()).toBe('upgraded')
    expect(ofConfig(host.ops)).toEqual([REPLACE, RESTART, REMOVE])
    const start = host.ops.findIndex((op) => op.startsWith('docker start'))
    const commit = host.ops.findLastIndex((op) => op.startsWith('docker update'))
    const order = [
      start,
      host.ops.indexOf(REPLACE),
      host.ops.indexOf(RESTART),
      commit,
      host.ops.indexOf(REMOVE),
    ]
    expect(order).toEqual(order.toSorted((a, b) => a - b))
    expect(await host.flaws('upgraded')).toEqual([])
  })

  it('does not touch it when the gate of the node fails', async () => {
    const host = await FakeHost.create({ withConfig: true, newExitsAfter: 100 })
    expect(await host.run()).toBe('rolled-back')
    expect(ofConfig(host.ops)).toEqual([])
    expect(await host.flaws('rolled-back')).toEqual([])
  })

  it('undoes all when the kubelet does not stay up, and restarts it with the old config', async () => {
    const host = await create()
    host.agent.onMove = (_, what) => {
      if (what === 'restart') host.cni.kubelet.isBroken = true
    }
    expect(await host.run()).toBe('rolled-back')
    expect(ofConfig(host.ops)).toEqual([REPLACE, RESTART, RESTORE, RESTART])
    expect(host.agent.state()?.problems).toMatchObject([{ code: 'kubelet-failed' }])
    expect(await host.flaws('rolled-back')).toEqual([])
  })

  it('brings the node back even where the kubelet cannot be restarted any more', async () => {
    const host = await create()
    host.agent.onMove = (_, what) => {
      if (what === 'restart') throw new AgentError('kubelet-failed', 'cannot restart it', { fix: 'none' })
    }
    expect(await host.run()).toBe('rolled-back')
    expect(host.agent.state()?.problems.map(({ code }) => code)).toEqual(['kubelet-failed', 'kubelet-failed'])
    expect(await host.flaws('rolled-back')).toEqual([])
  })

  const readOnly = new AgentError('cannot-write', 'cannot write it: read-only file system', { fix: 'none' })

  it('is rolled back where the directory is read-only before the config was changed', async () => {
    const host = await create()
    host.agent.onMove = (_, what) => {
      if (what === 'replace' || what === 'restore') throw readOnly
    }
    expect(await host.run()).toBe('rolled-back')
    expect(host.agent.state()?.problems).toMatchObject([
      { code: 'cannot-write', severity: 'error' },
      { code: 'leftover', severity: 'warning' },
    ])
    expect(await host.flaws('rolled-back')).toEqual([])
  })

  it('brings the node back even where the new config cannot be taken away any more', async () => {
    const host = await create()
    host.agent.onMove = (_, what) => {
      if (what === 'restart') host.cni.kubelet.isBroken = true
      if (what === 'restore') throw readOnly
    }
    expect(await host.run()).toBe('stuck')
    expect(host.agent.state()?.problems.map(({ code }) => code)).toEqual(['kubelet-failed', 'cannot-write'])
    expect((await host.docker.inspectContainer('calico-node'))?.State.Running).toBe(true)
    expect(host.ops).toContain('docker rm calico-node-next-20261122T141503Z-7f3a')
  })

  it('goes back when somebody else changed the config since it was planned, and leaves that', async () => {
    const host = await create()
    host.agent.onMove = (_, what) => {
      if (what === 'killContainer') host.cni.writeElse()
    }
    expect(await host.run()).toBe('rolled-back')
    expect(ofConfig(host.ops)).toEqual([])
    expect(host.agent.state()?.problems).toMatchObject([{ code: 'cni-config-changed', severity: 'error' }])
    expect(await host.flaws('rolled-back')).toContain('the CNI config is {}')
  })

  it('leaves what somebody else wrote after it', async () => {
    const host = await create()
    host.agent.onMove = (_, what) => {
      if (what === 'restart') host.cni.writeElse()
      if (what === 'restart') host.cni.kubelet.isBroken = true
    }
    expect(await host.run()).toBe('rolled-back')
    expect(ofConfig(host.ops)).toEqual([REPLACE, RESTART, REMOVE, RESTART])
    expect(host.agent.state()?.problems).toMatchObject([
      { code: 'kubelet-failed' },
      { code: 'cni-config-changed', severity: 'warning' },
    ])
  })
})

describe('the check of what a run leaves', () => {
  it.each([
    ['nothing is restored', 'restore', 'the CNI config is'],
    ['the config is written anew', 'restore anew', 'written again'],
    ['the way back stays', 'remove', 'is left'],
    ['the kubelet is not restarted on the way back', 'restart', 'another CNI config'],
  ])('would catch that %s', async (_, fault, flaw) => {
    const host = await create()
    const { configs, kubelet } = host.cni
    const restart = kubelet.restart.bind(kubelet)
    if (fault === 'restore') configs.restore = () => Promise.resolve()
    if (fault === 'restore anew') {
      configs.restore = async (path, text) => {
        configs.put(path, text)
        await Promise.resolve()
      }
    }
    if (fault === 'remove') configs.remove = () => Promise.resolve()
    // the way back is tried: the kubelet does not stand the new config
    kubelet.restart = async (unit) => {
      if (fault === 'restart' && kubelet.isBroken) return
      kubelet.isBroken = fault !== 'remove'
      await restart(unit)
    }
    expect((await host.flaws(await host.run())).join('; ')).toContain(flaw)
  })
})
