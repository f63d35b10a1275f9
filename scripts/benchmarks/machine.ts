import { cpus, loadavg, release, totalmem } from 'node:os'
import type { Host } from '../../test/lab/index.ts'

/** What the figures depend on, and the day, in one line. */
export async function machineLine(host: Host): Promise<string> {
  const { Version } = await host.docker.version()
  const [bird = ''] = await host.birdc('show status')
  return [
    new Date().toISOString().slice(0, 10),
    `${cpus()[0]?.model.trim() ?? 'unknown CPU'}, ${cpus().length} cores`,
    `${Math.round(totalmem() / 2 ** 30)} GB of memory`,
    `Linux ${release()}`,
    `Docker ${Version}`,
    bird.replace(/^\d+-/, ''),
    `Node ${process.versions.node}`,
    `load ${loadavg()[0]?.toFixed(1) ?? '-'} before`,
  ].join('; ')
}
