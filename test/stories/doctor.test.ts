import { describe, expect, it } from 'vitest'
import { AgentError } from '../../agent/core/errors.ts'
import { RULES } from '../../agent/core/preflight.ts'
import type { Wanted } from '../../agent/core/wanted.ts'
import { doctor, emptyDoctorReport } from '../../agent/stories/doctor.ts'
import { wanted } from '../core/observed.ts'
import { FakeHost } from '../engine/fake-host.ts'

const kubernetes = { cordon: true }
const withoutTarget: Wanted = { ...wanted, node: { ...wanted.node, image: null } }

async function diagnose(host: FakeHost, asked: Wanted, cni: string | null = null) {
  const ports = host.ports()
  ports.cni.version = () => Promise.resolve(cni)
  const report = await doctor({ ports, emit: () => undefined, signal: new AbortController().signal }, asked)
  const failed = report.checks.filter(({ passes }) => !passes)
  return { ...report, failed: failed.map(({ severity, code }) => `${severity} ${code}`) }
}

/** Each once: the image of the node and that of the CNI plugins are tried by the same rules. */
const codes = (rules: readonly { code: string }[]) => [...new Set(rules.map(({ code }) => code))]

/** Docker runs the container, no unit and no DaemonSet does, no Deployment the controllers, and neither a CNI config nor controllers are asked for. */
const ofThisHost = RULES.filter(
  ({ code }) =>
    !/^(systemd|units?|slow-start|two|cni|static-pod|kubelet|manifest|daemonset|deployment|config-map|docker)(-|$)|controllers/.test(
      code,
    ),
)

describe('doctor', () => {
  it('tries every rule on a host that is fine, and says what it saw', async () => {
    const report = await diagnose(await FakeHost.create({ inCluster: true }), { ...wanted, kubernetes })
    const failed = ['warning both-dial']
    expect(report).toMatchObject({ schema: 1, ready: true, target: wanted.node.image, failed })
    expect(codes(report.checks)).toEqual(codes(ofThisHost))
    for (const { seen, about, fix } of report.checks.filter(({ passes }) => passes)) {
      expect([seen, about]).not.toContain('')
      // evidence, and not the sentence again
      expect(
        seen.split(' ').filter((word) => !about.split(' ').includes(word)),
        about,
      ).not.toEqual([])
      expect(fix).toBeNull()
    }
  })

  it('tries the rules of the host alone where no image is asked for, and asks no registry', async () => {
    const host = await FakeHost.create({ inCluster: true })
    host.docker.images.publish(
      wanted.node.image ?? '',
      new AgentError('registry-failed', 'the registry was asked', { fix: 'none' }),
    )
    const { checks, ready, target } = await diagnose(host, { ...withoutTarget, kubernetes })
    expect({ ready, target }).toEqual({ ready: true, target: null })
    const ofTheHost = ofThisHost.filter(
      ({ code }) => !/^(image|wrong|withdrawn|datastore-migration|down|dropped|mis)/.test(code),
    )
    expect(codes(checks)).toEqual(codes(ofTheHost))
  })

  it('asks whether the Node may be cordoned where nothing else is asked for', async () => {
    const host = await FakeHost.create({ inCluster: true })
    const refusal = new AgentError('kubernetes-refused', 'a webhook refuses', { fix: 'none' })
    if (host.cluster) host.cluster.tryPatch = () => Promise.reject(refusal)
    const { ready, failed } = await diagnose(host, { ...withoutTarget, kubernetes })
    expect(ready).toBe(false)
    expect(failed).toContain('error kubernetes-refused')
    const uncordoned = await diagnose(host, { ...withoutTarget, kubernetes: { cordon: false } })
    expect(uncordoned.ready).toBe(true)
  })

  it('is not ready for an error, and says all that it found', async () => {
    const host = await FakeHost.create({ policy: 'no', deadPeer: true })
    const asked = { ...wanted, node: { ...wanted.node, image: 'calico/node:v3.0.1' } }
    const { ready, failed, checks } = await diagnose(host, asked)
    expect(ready).toBe(false)
    expect(failed).toEqual([
      'warning no-restart-policy',
      // One in each BIRD.
      ...['warning peer-down', 'warning peer-down'],
      'warning both-dial',
      'error image-not-found',
      'error datastore-migration',
    ])
    for (const { passes, fix } of checks) expect(fix === null).toBe(passes)
  })

  it('is ready beside warnings', async () => {
    const { ready, failed } = await diagnose(await FakeHost.create(), wanted, 'v1.11.2')
    expect({ ready, failed }).toEqual({
      ready: true,
      failed: ['warning both-dial', 'warning mismatched-set'],
    })
  })

  it('looks at BIRD even where the image runs already', async () => {
    const host = await FakeHost.create({ deadPeer: true })
    const asked = { ...wanted, node: { ...wanted.node, image: 'calico/node:v2.6.5' } }
    expect((await diagnose(host, asked)).failed).toEqual([
      'warning peer-down',
      'warning peer-down',
      'warning both-dial',
    ])
  })

  it('has one check where the container is missing', async () => {
    const asked = { ...withoutTarget, node: { ...withoutTarget.node, container: 'nowhere' } }
    const { ready, checks } = await diagnose(await FakeHost.create(), asked)
    expect({ ready, codes: codes(checks) }).toEqual({ ready: false, codes: ['container-missing'] })
  })

  it('is not ready where the host cannot be looked at', () => {
    const error = new AgentError('docker-unreachable', 'cannot reach Docker', {
      fix: 'systemctl start docker',
    })
    expect(emptyDoctorReport(error.asProblems())).toMatchObject({
      ready: false,
      checks: [{ code: 'docker-unreachable', passes: false, fix: 'systemctl start docker' }],
    })
  })
})
