/** One BIRD daemon: BIRD 1.6 runs one per address family. */
export interface BirdEndpoint {
  family: 4 | 6
  /** Control socket, on the host with `via: 'host'`, in the container with `via: 'exec'`. */
  socket: string
  via: 'host' | 'exec'
}

/** One BGP session as BIRD shows it. */
export interface Session {
  /** Protocol name: `Mesh_`, `Node_` or `Global_` + address in Calico. */
  name: string
  /** Address of the neighbor, e.g. 192.0.2.2. */
  neighbor: string
  established: boolean
  /** BIRD's own words: Established, Active, Connect, Passive, Idle, OpenSent ..., and its last error. */
  info: string
  imported: number
  /** The peer announced graceful restart (RFC 4724); known only while Established. */
  restartAware: boolean
  /** Disabled by an operator (`birdc disable`). */
  disabled: boolean
}

/** A BIRD daemon that answers. */
export interface BirdUp {
  state: 'up'
  /** "Last reboot on", as BIRD prints it: tells one instance from the next. */
  lastReboot: string
  /** Graceful-restart recovery in progress (reply code 0024). */
  recovering: boolean
  /** "Wait timer is 225/240"; null outside recovery. */
  waitTimer: string | null
  sessions: Session[]
}

/** What one look at a BIRD daemon shows. */
export type BirdView =
  /** Nothing listens at the socket. */
  | { state: 'down' }
  /** It accepts the connection and does not answer in time. */
  | { state: 'silent' }
  | BirdUp
