/** `e_machine` of the ELF header (elf(5)) in the names that images use. */
const MACHINES: Record<number, string> = {
  3: '386',
  8: 'mips',
  20: 'ppc',
  21: 'ppc64le',
  22: 's390x',
  40: 'arm',
  62: 'amd64',
  183: 'arm64',
  243: 'riscv64',
  258: 'loong64',
}

/** Bytes that `elfArchitecture` looks at. */
export const ELF_HEAD_BYTES = 20

/** ET_EXEC, and ET_DYN for a position-independent program. */
const PROGRAMS = [2, 3]

/** The architecture of a program, from its first bytes: `amd64`; null if it is not an ELF program. */
export function elfArchitecture(head: Uint8Array): string | null {
  if (head.length < ELF_HEAD_BYTES) return null
  const magic = String.fromCharCode(...head.subarray(0, 4))
  if (magic !== '\x7fELF') return null
  const littleEndian = head[5] === 1
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength)
  if (!PROGRAMS.includes(view.getUint16(16, littleEndian))) return null
  const machine = view.getUint16(18, littleEndian)
  return MACHINES[machine] ?? `ELF machine ${machine}`
}
