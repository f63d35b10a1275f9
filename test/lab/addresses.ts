// Documentation ranges only (RFC 5737), and only inside the lab's own namespaces.

export const registryAddress = '192.0.2.250'
export const registryName = 'registry.lab'
export const registryPort = 5000
export const asNumber = 64512
export const maxHosts = 60

export const hostName = (index: number): string => `host${index}`
export const hostAddress = (index: number): string => `192.0.2.${index}`
export const podAddress = (index: number): string => `198.51.100.${index}`
export const podPrefix = '198.51.100.'

/** A host keeps its MAC over a power cut, as hardware does: its neighbours' ARP entries stay right. */
export const macFor = (address: string): string => {
  const bytes = address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'))
  return `02:00:${bytes.join(':')}`
}
