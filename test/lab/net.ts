import { ensureFile } from 'fs-extra/esm'
import { macFor, registryAddress } from './addresses.ts'
import { execOk } from './exec.ts'
import { labNamespace, labPath } from './paths.ts'

const bridge = 'br0'

export const podNamespace = (host: string): string => labPath('ns', `pod-${host}`)

/** A network namespace that lives as long as the file: bound there, it needs no process. */
export async function createNamespace(file: string): Promise<void> {
  await ensureFile(file)
  await execOk(['unshare', `--net=${file}`, 'ip', 'link', 'set', 'lo', 'up'])
}

/** The wire that all hosts share; the engine and the registry listen on its own address. */
export async function createWire(): Promise<void> {
  await createNamespace(labNamespace)
  await ipBatch(labNamespace, [
    // Without an address of its own it takes the lowest of its ports': a host that loses its power would change it, and
    // the others send to the old one for half a minute.
    `link add ${bridge} address ${macFor(registryAddress)} type bridge forward_delay 0 mcast_snooping 0`,
    `addr add ${registryAddress}/24 dev ${bridge}`,
    `link set ${bridge} up`,
  ])
}

/** One more address of the switch itself; the hosts reach it by their default route. */
export async function addAddress(address: string): Promise<void> {
  await ipBatch(labNamespace, [`addr replace ${address}/32 dev lo`])
}

/** Runs a program in the switch's network. */
export const onSwitch = (argv: readonly string[]): string[] => ['nsenter', `--net=${labNamespace}`, ...argv]

/**
 * Plugs the container whose PID 1 is `pid` into the wire: eth0, its address, a default route, as a host has. The wire of
 * its life before is still there where anything holds the network namespace of that life.
 */
export async function plugIn(name: string, address: string, pid: number): Promise<void> {
  const port = portOf(name)
  await removeLink(labNamespace, port)
  await ipBatch(labNamespace, [
    `link add ${port} type veth peer name eth0 address ${macFor(address)} netns ${pid}`,
    `link set ${port} master ${bridge} up`,
  ])
  await ipBatch(`/proc/${pid}/ns/net`, [
    `addr add ${address}/24 dev eth0`,
    'link set eth0 up',
    'link set lo up',
    `route add default via ${registryAddress}`,
  ])
  await sysctl(pid, { 'net.ipv4.ip_forward': 1, 'net.ipv4.conf.all.rp_filter': 0 })
}

/** Takes it off again. Connections that are being ended keep its network alive for minutes, and with it the wire. */
export async function unplug(name: string): Promise<void> {
  await removeLink(labNamespace, portOf(name))
}

const portOf = (name: string): string => `to-${name}`

/**
 * A pod as Calico wires it: a /32, a cali* veth on the host with proxy ARP, and a route to 169.254.1.1. The
 * namespace outlives a power cut of the host; its wire does not and is made again.
 */
export async function plugPod(host: string, pid: number, address: string): Promise<void> {
  const device = `cali-${host}`
  const hostNetwork = `/proc/${pid}/ns/net`
  const pod = podNamespace(host)
  await removeLink(pod, 'eth0')
  await ipBatch(hostNetwork, [
    `link add ${device} address ee:ee:ee:ee:ee:ee type veth peer name eth0 netns ${pod}`,
    `link set ${device} up`,
    `route add ${address}/32 dev ${device} scope link`,
  ])
  await sysctl(pid, { [`net.ipv4.conf.${device}.proxy_arp`]: 1, [`net.ipv4.neigh.${device}.proxy_delay`]: 0 })
  await ipBatch(pod, [
    `addr add ${address}/32 dev eth0`,
    'link set eth0 up',
    'route add 169.254.1.1 dev eth0 scope link',
    'route add default via 169.254.1.1 dev eth0',
  ])
}

/** Both ends, wherever the other is; nothing where there is none. */
async function removeLink(namespace: string, name: string): Promise<void> {
  await ipBatch(namespace, [`link del ${name}`]).catch((error: unknown) => {
    if (!String(error).includes('Cannot find device')) throw error
  })
}

/** Commands of ip(8), in a network. */
export const ipBatch = (namespace: string, lines: readonly string[]): Promise<string> =>
  execOk(['nsenter', `--net=${namespace}`, 'ip', '-batch', '-'], { input: `${lines.join('\n')}\n` })

/** /proc/sys/net shows the settings of the reader's network namespace, so none but that one is entered. */
const sysctl = (pid: number, values: Record<string, number>): Promise<string> =>
  execOk([
    'nsenter',
    `--net=/proc/${pid}/ns/net`,
    'sysctl',
    '--quiet',
    '--write',
    ...Object.entries(values).map(([name, value]) => `${name.replaceAll('.', '/')}=${value}`),
  ])
