import Docker from 'dockerode'
import { ensureDir, pathExists, remove } from 'fs-extra/esm'
import { hostAddress, hostName, maxHosts, registryAddress, registryName } from './addresses.ts'
import { isCgroupV2, v1Hierarchies } from './cgroup.ts'
import { outerEngine, runtimePath } from './engine.ts'
import { runOnHost } from './host-run.ts'
import { binDir, HOST_BIN } from './kubernetes/program.ts'
import { plugIn, plugPod } from './net.ts'
import { labPath } from './paths.ts'
import { until } from './poll.ts'
import { HOST_SALT, saltDir } from './salt/programs.ts'

export type Machine = { name: string; address: string; pod: string }

/** Makes the container that is the host; it is still off. */
export async function createMachine(machine: Machine, image: string, hosts: number): Promise<void> {
  const disk = labPath('hosts', machine.name, 'docker')
  await ensureDir(disk)
  await outerEngine().createContainer({
    name: machine.name,
    Hostname: machine.name,
    Image: image,
    Cmd: ['/sbin/init'],
    Env: ['container=docker'],
    HostConfig: {
      Privileged: true,
      NetworkMode: 'none',
      // Not in dockerode's types. On v1 systemd needs the machine's hierarchies; on v2 a namespace is enough.
      ...{ CgroupnsMode: isCgroupV2 ? 'private' : 'host' },
      Tmpfs: {
        '/run': 'rw,mode=755',
        '/run/lock': '',
        ...(isCgroupV2 ? {} : { '/sys/fs/cgroup': 'rw,mode=755' }),
      },
      Binds: [
        ...(await v1Hierarchies()).map((path) => `${path}:${path}:rw`),
        `${disk}:/var/lib/docker`,
        `${labPath('agent')}:/opt/calico-agent:ro`,
        `${binDir}:${HOST_BIN}:ro`,
        `${saltDir}:${HOST_SALT}:ro`,
        `${labPath('engine/host-daemon.json')}:/etc/docker/daemon.json:ro`,
        ...((await pathExists(runtimePath())) ? [`${runtimePath()}:/usr/local/sbin/lab-runc:ro`] : []),
      ],
      ExtraHosts: [
        `${registryName}:${registryAddress}`,
        ...Array.from(
          { length: Math.min(hosts, maxHosts) },
          (_, index) => `${hostName(index + 1)}:${hostAddress(index + 1)}`,
        ),
      ],
    },
  })
}

/** Makes the machine again from its image, with an empty disk, whatever became of it. Resolves as `powerOn`. */
export async function remakeMachine(machine: Machine): Promise<number> {
  const container = outerEngine().getContainer(machine.name)
  const { Config, HostConfig } = await container.inspect()
  await container.remove({ force: true })
  await remove(labPath('hosts', machine.name, 'docker'))
  // all hosts, and the registry
  await createMachine(
    machine,
    Config.Image,
    ((HostConfig.ExtraHosts as string[] | undefined)?.length ?? 1) - 1,
  )
  return await powerOn(machine)
}

/** Boots a machine. Resolves to the pid of its PID 1 once systemd runs and its engine answers. */
export async function powerOn(machine: Machine): Promise<number> {
  await outerEngine().getContainer(machine.name).start()
  const pid = await hostPid(machine.name)
  await plugIn(machine.name, machine.address, pid)
  await plugPod(machine.name, pid, machine.pod)
  await until(`${machine.name} to boot`, () => isUp(pid))
  return pid
}

/** SIGKILL to PID 1: the kernel kills the rest of its pid namespace with it, inner containers included. */
export async function powerCut(name: string): Promise<void> {
  const container = outerEngine().getContainer(name)
  await container.kill({ signal: 'KILL' })
  await container.wait()
}

export async function hostPid(name: string): Promise<number> {
  const { State } = await outerEngine().getContainer(name).inspect()
  if (!State.Running) throw new Error(`cannot reach ${name}: it is off`)
  return State.Pid
}

/** systemctl waits for the end of the boot once it can reach systemd; asking ten times a second took a fifth of a boot's CPU time. */
async function isUp(pid: number): Promise<boolean> {
  const { stdout } = await runOnHost(pid, ['systemctl', 'is-system-running', '--wait'], { timeoutMs: 10_000 })
  if (!['running', 'degraded'].includes(stdout.trim())) return false
  await new Docker({ socketPath: `/proc/${pid}/root/run/docker.sock` }).ping()
  return true
}
