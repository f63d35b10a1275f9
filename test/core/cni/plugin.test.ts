import { describe, expect, it } from 'vitest'
import { calicoVersion, printedVersion } from '../../../agent/core/cni/plugin.ts'

describe('printedVersion', () => {
  it.each([
    ['v3.20.1\n', 'v3.20.1'],
    ['v1.11.2-1-gabcdef\n', 'v1.11.2-1-gabcdef'],
    ['CNI ptp plugin v1.1.1\nCNI protocol versions supported: 0.1.0, 1.0.0', 'v1.1.1'],
    ['CNI ptp plugin version unknown\nCNI protocol versions supported: 0.1.0, 1.0.0', null],
    ['', null],
    ['v1.2', null],
  ])('of %j is %s', (output, version) => {
    expect(printedVersion(output)).toBe(version)
  })
})

describe('calicoVersion', () => {
  it.each([
    ['v3.20.1\n', 'v3.20.1'],
    ['v1.11.2-1-gabcdef\n', 'v1.11.2-1-gabcdef'],
    ['CNI ptp plugin v1.1.1\n', null],
    ['calico v3.20.1\n', null],
    ['', null],
  ])('of %j is %s', (output, version) => {
    expect(calicoVersion(output)).toBe(version)
  })
})
