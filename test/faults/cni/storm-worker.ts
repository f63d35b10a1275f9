import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** What the loops saw until they were asked to stop. */
export interface StormReport {
  calls: Record<'ADD' | 'DEL' | 'VERSION', number>
  reads: number
  failures: string[]
}

/**
 * Worker BINDIR DATADIR NETNS...: one loop for each network namespace runs ADD, DEL and VERSION without pause, and one
 * reads the plugins, until stdin ends; then the report goes to stdout, its last line. argv[4] lists the whole contents by hash.
 */
async function main([binDir = '', dataDir = '', known = '', ...namespaces]: string[]): Promise<void> {
  const report: StormReport = { calls: { ADD: 0, DEL: 0, VERSION: 0 }, reads: 0, failures: [] }
  let stopped = false
  process.stdin.resume().on('end', () => (stopped = true))
  const attempt = async (what: string, work: () => Promise<unknown>): Promise<void> => {
    try {
      await work()
    } catch (error) {
      report.failures.push(`${what}: ${String(error).slice(0, 300)}`)
      console.log('failed')
    }
  }

  const plug = async (netns: string, index: number): Promise<void> => {
    while (!stopped) {
      for (const command of ['ADD', 'DEL', 'VERSION'] as const) {
        await attempt(command, () => call(join(binDir, 'calico'), command, { netns, index, binDir, dataDir }))
        report.calls[command] += 1
      }
    }
  }
  const read = async (): Promise<void> => {
    while (!stopped) {
      for (const name of ['calico', 'calico-ipam']) {
        await attempt(`read ${name}`, async () => {
          const hash = createHash('sha256')
            .update(await readFile(join(binDir, name)))
            .digest('hex')
          if (!known.split(',').includes(hash)) throw new Error('it is not a whole plugin')
        })
        report.reads += 1
      }
    }
  }
  console.log('ready')
  await Promise.all([...namespaces.map(plug), read()])
  console.log(JSON.stringify(report))
}

interface Pod {
  netns: string
  index: number
  binDir: string
  dataDir: string
}

function call(path: string, command: string, { netns, index, binDir, dataDir }: Pod): Promise<void> {
  const ipam = { type: 'calico-ipam', subnet: '198.51.100.0/24', dataDir }
  const config = { cniVersion: '0.4.0', name: 'storm', type: 'calico', ipam }
  const env = {
    CNI_COMMAND: command,
    CNI_CONTAINERID: `pod-${index}`,
    CNI_NETNS: `/var/run/netns/${netns}`,
    CNI_IFNAME: 'eth0',
    CNI_PATH: binDir,
    PATH: process.env['PATH'],
  }
  return new Promise((resolve, reject) => {
    const child = execFile(path, { env, timeout: 20_000 }, (error, stdout) => {
      if (error) reject(new Error(`${error.message} ${stdout}`))
      else resolve()
    })
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(JSON.stringify(config))
  })
}

void main(process.argv.slice(2))
