import { bootLab, downLab, healthyHosts, type Lab } from '../test/lab/index.ts'

/** Runs `work` on the lab that runs, or on one that is booted for it and removed however it ends. */
export async function withLab(work: (lab: Lab) => Promise<void>, hosts = 2): Promise<void> {
  const wasRunning = (await healthyHosts()) > 0
  const cleanUp = async (): Promise<void> => {
    if (!wasRunning) await downLab()
  }
  const interrupted = async (): Promise<void> => {
    await cleanUp()
    process.exit(130)
  }
  process.once('SIGINT', () => void interrupted())
  process.once('SIGTERM', () => void interrupted())
  try {
    await work(await bootLab({ hosts }))
  } finally {
    await cleanUp()
  }
}
