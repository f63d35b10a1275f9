import { request } from 'node:http'
import { registryAddress, registryName, registryPort } from './addresses.ts'
import { controlSocket } from './registry.ts'
import { defaultFaults, type Fault, type FaultName, type FaultState, faultPorts } from './registry-faults.ts'

export type Registry = {
  /** As the hosts name it: registry.lab:5000 */
  address: string
  /** The same registry under another name. */
  mirror: string
  /** The reference of calico/node with this tag. */
  image(tag: string): string
  /** The reference of calico/cni with this tag. */
  cniImage(tag: string): string
  /** The reference of calico/kube-controllers with this tag. */
  controllersImage(tag: string): string
  /** The same repository behind the port that goes wrong in this way. */
  faultyImage(fault: FaultName, tag: string): string
  /** Sets how often the port goes wrong from now on, and its count of requests to 0. */
  setFault(fault: FaultName, change: Partial<Fault>): Promise<void>
  faults(): Promise<FaultState>
  resetFaults(): Promise<void>
}

export function registryClient(): Registry {
  const setFault = async (fault: FaultName, change: Partial<Fault>): Promise<void> => {
    await call('PUT', `/${fault}`, change)
  }
  return {
    address: `${registryName}:${registryPort}`,
    mirror: `${registryAddress}:${registryPort}`,
    image: (tag) => `${registryName}:${registryPort}/calico/node:${tag}`,
    cniImage: (tag) => `${registryName}:${registryPort}/calico/cni:${tag}`,
    controllersImage: (tag) => `${registryName}:${registryPort}/calico/kube-controllers:${tag}`,
    faultyImage: (fault, tag) => `${registryName}:${faultPorts[fault]}/calico/node:${tag}`,
    setFault,
    faults: () => call('GET', '/'),
    resetFaults: async () => {
      const { auth, ...others } = defaultFaults()
      await setFault('auth', { times: auth.times })
      for (const [name, { times, bytesPerSecond }] of Object.entries(others)) {
        await setFault(name as FaultName, { times, bytesPerSecond })
      }
    },
  }
}

function call(method: string, path: string, body?: object): Promise<FaultState> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath: controlSocket(), method, path }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        resolve(JSON.parse(Buffer.concat(chunks).toString()) as FaultState)
      })
    })
    sent.on('error', reject)
    sent.end(body === undefined ? undefined : JSON.stringify(body))
  })
}
