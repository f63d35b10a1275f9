import { describe, expect, it } from 'vitest'
import { loggedContainer, loggedLines } from '../../../agent/core/runtime/kubelet-log.ts'

const id = 'a1'.repeat(32)
const uid = '2f1c9a1e-7b0d-4c55-8d6e-0a1b2c3d4e5f'
const target = `/var/log/pods/kube-system_calico-node-x7k2p_${uid}/calico-node/2.log`

describe('the link to a log', () => {
  it('names the container', () => {
    expect(loggedContainer(`calico-node-x7k2p_kube-system_calico-node-${id}.log`, target)).toEqual({
      ...{ id, container: 'calico-node', pod: 'calico-node-x7k2p', namespace: 'kube-system' },
      ...{ uid, attempt: 2 },
    })
  })

  it.each([
    ['of another file', 'README', target],
    ['of an older kubelet', `a_b_c-${id}.log`, `/var/log/pods/${uid}/c_0.log`],
    ['of another pod', `other_kube-system_calico-node-${id}.log`, target],
    ['of another container', `calico-node-x7k2p_kube-system_other-${id}.log`, target],
    ['to nowhere', `calico-node-x7k2p_kube-system_calico-node-${id}.log`, ''],
  ])('is none: %s', (_, link, to) => {
    expect(loggedContainer(link, to)).toBeNull()
  })
})

describe('the lines of a log', () => {
  const at = '2026-11-27T20:00:00.123456789Z'

  it('have no stamps, and are whole', () => {
    const text = [
      `${at} stdout F one`,
      `${at} stderr P two, `,
      `${at} stderr F and its end`,
      `${at} stdout F `,
      'not a line of the runtime',
      `${at} stdout F last`,
      '',
    ].join('\n')
    expect(loggedLines(text, 10)).toBe('one\ntwo, and its end\n\nlast\n')
    expect(loggedLines(text, 1)).toBe('last\n')
    expect(loggedLines('', 5)).toBe('')
  })
})
