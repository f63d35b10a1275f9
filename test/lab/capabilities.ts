import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

// linux/capability.h, in the order of their numbers.
const names = (
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE ' +
  'NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT ' +
  'SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL ' +
  'SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE'
).split(' ')

/** The runc wrapper for this machine's gaps, or undefined on a machine without gaps. */
export async function runcWrapper(): Promise<string | undefined> {
  const status = await readFile('/proc/self/status', 'utf8')
  const bounding = BigInt(`0x${/^CapBnd:\s*(\w+)$/m.exec(status)?.[1] ?? 'ffffffffffffffff'}`)
  const missing = names
    .filter((_, bit) => ((bounding >> BigInt(bit)) & 1n) === 0n)
    .map((name) => `CAP_${name}`)
  if (missing.length === 0) return undefined
  const template = await readFile(join(import.meta.dirname, 'host-root/runc-wrapper.sh'), 'utf8')
  return template.replaceAll('@missing@', missing.join('|'))
}
