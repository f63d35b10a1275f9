import { ensureDir } from 'fs-extra/esm'
import { hostAddress, hostName, maxHosts, podAddress } from './addresses.ts'
import { engineHealthy, importHostImage, startEngine } from './engine.ts'
import { binDir } from './kubernetes/program.ts'
import { attachLab, type Lab } from './lab.ts'
import { readLabFile, writeLabFile } from './lab-file.ts'
import { withLock } from './lock.ts'
import { createNamespace, createWire, podNamespace } from './net.ts'
import { labPath } from './paths.ts'
import { createMachine, hostPid, type Machine, powerOn } from './power.ts'
import { progress } from './progress.ts'
import { imagesKey, registryHealthy, startRegistry } from './registry.ts'
import { removeLab } from './remove.ts'
import { saltDir } from './salt/programs.ts'

/** Brings up a lab with at least so many hosts: a healthy one is used as it is, anything else is made anew. */
export async function bootLab({ hosts }: { hosts: number }): Promise<Lab> {
  if (hosts < 1 || hosts > maxHosts)
    throw new Error(`cannot boot ${hosts} hosts: 1 to ${maxHosts} can be had`)
  if (process.getuid?.() !== 0) throw new Error('cannot boot the lab: it needs root (namespaces, mounts)')
  return await withLock(async () => {
    if ((await healthyHosts()) < hosts) {
      await removeLab()
      await progress(`booting ${hosts} hosts`, () => boot(hosts))
    }
    await warnIfOld()
    return await attachLab()
  })
}

/** A lab that others may be using is not taken from under them because a script of the image changed. */
async function warnIfOld(): Promise<void> {
  if ((await readLabFile()).imagesKey === (await imagesKey())) return
  process.stderr.write(
    'lab: the images changed since this lab was booted: ./scripts/lab down && ./scripts/lab up\n',
  )
}

/** How many hosts the running lab has; 0 when there is none or something of it is broken. */
export async function healthyHosts(): Promise<number> {
  try {
    const { hosts } = await readLabFile()
    const parts = await Promise.all([engineHealthy(), registryHealthy(), ...hosts.map(isRunning)])
    return parts.includes(false) ? 0 : hosts.length
  } catch {
    return 0
  }
}

async function boot(hosts: number): Promise<void> {
  await ensureDir(labPath('agent'))
  await ensureDir(binDir)
  await ensureDir(saltDir)
  await createWire()
  const [image] = await Promise.all([startEngine().then(importHostImage), startRegistry()])
  const machines = Array.from({ length: hosts }, (_, index) => machineAt(index + 1))
  await Promise.all(machines.map((machine) => firstBoot(machine, image, hosts)))
  await writeLabFile({ imagesKey: await imagesKey(), hosts: machines })
}

async function firstBoot(machine: Machine, image: string, hosts: number): Promise<void> {
  await createNamespace(podNamespace(machine.name))
  await createMachine(machine, image, hosts)
  await powerOn(machine)
}

const machineAt = (index: number): Machine & { index: number } => ({
  index,
  name: hostName(index),
  address: hostAddress(index),
  pod: podAddress(index),
})

const isRunning = ({ name }: Machine): Promise<boolean> =>
  hostPid(name).then(
    () => true,
    () => false,
  )
