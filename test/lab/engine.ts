import { createReadStream } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import Docker from 'dockerode'
import { ensureDir, pathExists, writeJson } from 'fs-extra/esm'
import { registryAddress, registryName, registryPort } from './addresses.ts'
import { runcWrapper } from './capabilities.ts'
import { daemonAlive, startDaemon, untilDaemonReady } from './daemon.ts'
import { hostRootTar } from './host-image.ts'
import { cgroupName, engineSocket, labPath } from './paths.ts'

// Insecure by name and by address: one registry, and one port per way in which a registry goes wrong.
const insecureRegistries = [registryName, registryAddress].flatMap((host) =>
  Array.from({ length: 10 }, (_, offset) => `${host}:${registryPort + offset}`),
)

/** The engine whose containers are the hosts. It shares nothing with a Docker that the machine may have. */
export const outerEngine = (): Docker => new Docker({ socketPath: engineSocket })

export async function startEngine(): Promise<void> {
  await ensureDir(labPath('engine'))
  const runtime = await writeRuntime()
  await writeFile(labPath('engine/containerd.toml'), containerdConfig)
  await startDaemon('containerd', ['containerd', '--config', labPath('engine/containerd.toml')])
  await untilDaemonReady('containerd', () => pathExists(labPath('engine/containerd.sock')))
  await writeJson(labPath('engine/daemon.json'), outerConfig(runtime))
  await startDaemon('dockerd', ['/usr/sbin/dockerd', '--config-file', labPath('engine/daemon.json')])
  await untilDaemonReady('dockerd', engineHealthy)
}

export async function engineHealthy(): Promise<boolean> {
  const alive = await Promise.all(['containerd', 'dockerd'].map(daemonAlive))
  if (alive.includes(false)) return false
  return await outerEngine()
    .ping()
    .then(() => true)
    .catch(() => false)
}

/** Imports the host image unless this engine has it. Returns its name. */
export async function importHostImage(): Promise<string> {
  const tar = await hostRootTar()
  const repo = 'lab-host'
  const tag = basename(tar).replace('host-root-', '')
  const docker = outerEngine()
  const progressStream = await docker.importImage(createReadStream(tar), { repo, tag })
  await new Promise<void>((resolve, reject) => {
    docker.modem.followProgress(progressStream, (error) => {
      if (error) reject(error)
      else resolve()
    })
  })
  return `${repo}:${tag}`
}

/** What every host gets as its /etc/docker/daemon.json. */
function hostEngineConfig(runtime: boolean): object {
  return {
    // Felix would accept forwarded pod traffic; Docker's own filter rules would drop it.
    iptables: false,
    ip6tables: false,
    'cgroup-parent': `/${cgroupName}/inner`,
    'insecure-registries': insecureRegistries,
    ...(runtime ? runtimeConfig('/usr/local/sbin/lab-runc') : {}),
  }
}

export const runtimePath = (): string => labPath('engine/lab-runc')

const runtimeConfig = (path: string): object => ({
  runtimes: { lab: { path } },
  'default-runtime': 'lab',
})

const containerdConfig = `version = 2
root = "${labPath('engine/containerd')}"
state = "${labPath('engine/containerd-state')}"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "${labPath('engine/containerd.sock')}"
`

function outerConfig(runtime: boolean): object {
  return {
    hosts: [`unix://${engineSocket}`],
    containerd: labPath('engine/containerd.sock'),
    'data-root': labPath('engine/data'),
    'exec-root': labPath('engine/exec'),
    pidfile: labPath('engine/dockerd.pid'),
    bridge: 'none',
    iptables: false,
    ip6tables: false,
    'exec-opts': ['native.cgroupdriver=cgroupfs'],
    'cgroup-parent': `/${cgroupName}/outer`,
    'insecure-registries': insecureRegistries,
    ...(runtime ? runtimeConfig(runtimePath()) : {}),
  }
}

async function writeRuntime(): Promise<boolean> {
  const wrapper = await runcWrapper()
  if (wrapper !== undefined) await writeFile(runtimePath(), wrapper, { mode: 0o755 })
  await writeJson(labPath('engine/host-daemon.json'), hostEngineConfig(wrapper !== undefined), { spaces: 2 })
  return wrapper !== undefined
}
