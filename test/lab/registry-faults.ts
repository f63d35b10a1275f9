/** A port of the registry that goes wrong in one way. Ports count up from the good one, 5000. */
export const faultPorts = {
  /** 401 without `registryUser`. */
  auth: 5001,
  /** 429 to the first `times` requests for a manifest or a layer. */
  'too-many-requests': 5002,
  /** 500 to the first `times` requests for a manifest or a layer. */
  'server-error': 5003,
  /** The first `times` layers stop in their middle and stay silent. */
  stall: 5004,
  /** The first `times` layers end in their middle with a closed connection. */
  cut: 5005,
  /** Every layer arrives at `bytesPerSecond`. */
  slow: 5006,
} as const

/** Nothing listens there. */
export const closedPort = 5009

export type FaultName = keyof typeof faultPorts

export type Fault = {
  /** How many requests still go wrong. */
  times: number
  /** `slow` only. */
  bytesPerSecond: number
}

export type FaultState = Record<FaultName, Fault & { requests: number }>

export const registryUser = { username: 'operator', password: 'lab-password' }

export const defaultFaults = (): FaultState => ({
  auth: { times: 0, bytesPerSecond: 0, requests: 0 },
  'too-many-requests': { times: 2, bytesPerSecond: 0, requests: 0 },
  'server-error': { times: 2, bytesPerSecond: 0, requests: 0 },
  stall: { times: Number.MAX_SAFE_INTEGER, bytesPerSecond: 0, requests: 0 },
  cut: { times: 2, bytesPerSecond: 0, requests: 0 },
  slow: { times: 0, bytesPerSecond: 1024 * 1024, requests: 0 },
})
