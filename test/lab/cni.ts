import { readFile } from 'node:fs/promises'
import { cniProgram } from './cni-images.ts'
import type { Host } from './host.ts'

export const BIN_DIR = '/opt/cni/bin'

/** Puts old plugins on the host, as an operator did by hand years ago: owner, mode and times of their own. */
export async function installOldPlugins(host: Host): Promise<void> {
  for (const name of ['calico', 'calico-ipam']) {
    const program = await readFile(cniProgram(name))
    await host.writeFile(
      `${BIN_DIR}/${name}`,
      Buffer.concat([program, Buffer.from('\nlab plugin of old\n')]),
      0o750,
    )
    await host.ok(['chown', '12:34', `${BIN_DIR}/${name}`])
    await host.ok(['touch', '-d', '2017-06-01T00:00:00Z', `${BIN_DIR}/${name}`])
  }
  await host.writeFile(`${BIN_DIR}/loopback`, "another vendor's", 0o755)
  await host.writeFile('/var/lib/calico/nodename', host.name)
}

/** All that is in the directory with all that a way back must bring back: inode, mode, owner, times, content. */
export async function pluginState(host: Host): Promise<string> {
  const stat = ['find', BIN_DIR, '-mindepth', '1', '-printf', '%P %i %m %U:%G %T@ %s\\n']
  const sums = ['find', BIN_DIR, '-type', 'f', '-exec', 'sha256sum', '{}', '+']
  const listed = await Promise.all([stat, sums].map((argv) => host.ok(argv)))
  return listed.map((text) => text.trim().split('\n').sort().join('\n')).join('\n')
}

/** Which image each plugin is of; the agent's own files by their names, the run cut out. */
export async function pluginsOf(host: Host): Promise<Record<string, string>> {
  const script = `cd ${BIN_DIR} && for f in $(find . -mindepth 1 -printf '%P '); do echo "$f $(tail -c 300000 $f 2>/dev/null | grep -a -o -m1 'lab plugin of [a-z0-9.-]*$' | head -1)"; done`
  const lines = (await host.ok(['sh', '-c', script])).trim().split('\n')
  return Object.fromEntries(
    lines.map((line) => {
      const [file = '', ...mark] = line.split(' ')
      return [file.replace(/\d{8}T\d{6}Z-[0-9a-f]{4}/, 'RUN'), mark.slice(2).join(' ')]
    }),
  )
}
