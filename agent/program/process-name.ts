import { writeFileSync } from 'node:fs'

/** At most 15 characters: comm in proc(5). */
const NAME = 'calico-agent'

/** What ps, top, pgrep and systemctl show, in place of Node's `MainThread`. The arguments stay as they are. */
export function nameProcess(): void {
  try {
    writeFileSync('/proc/self/comm', NAME)
  } catch {
    // a name is nothing to fail for
  }
}
