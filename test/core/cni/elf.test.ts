import { describe, expect, it } from 'vitest'
import { elfArchitecture } from '../../../agent/core/cni/elf.ts'

function head({ machine = 62, type = 2, bigEndian = false } = {}): Uint8Array {
  const bytes = new Uint8Array(64)
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, bigEndian ? 2 : 1, 1])
  const view = new DataView(bytes.buffer)
  view.setUint16(16, type, !bigEndian)
  view.setUint16(18, machine, !bigEndian)
  return bytes
}

describe('elfArchitecture', () => {
  it.each([
    [{}, 'amd64'],
    [{ type: 3 }, 'amd64'],
    [{ machine: 183 }, 'arm64'],
    [{ machine: 22, bigEndian: true }, 's390x'],
    [{ machine: 999 }, 'ELF machine 999'],
    // a shared object's twin without a program, and a core file
    [{ type: 1 }, null],
    [{ type: 4 }, null],
  ])('of %j is %s', (options, architecture) => {
    expect(elfArchitecture(head(options))).toBe(architecture)
  })

  it.each([[new Uint8Array()], [new Uint8Array(64)], [head().subarray(0, 19)]])('is none of %j', (bytes) => {
    expect(elfArchitecture(bytes)).toBeNull()
  })

  it('reads a part of a larger buffer', () => {
    const larger = new Uint8Array(100)
    larger.set(head({ machine: 183 }), 36)
    expect(elfArchitecture(larger.subarray(36))).toBe('arm64')
  })
})
