/** One BIRD daemon: BIRD 1.6 runs one per address family. */
export interface BirdEndpoint {
  family: 4 | 6
  /** Control socket, on the host with `via: 'host'`, in the container with `via: 'exec'`. */
  socket: string
  via: 'host' | 'exec'
}

/** The row of a BGP session (`show protocols`). */
export interface SessionRow {
  /** Protocol name: `Mesh_`, `Node_` or `Global_` + address in Calico. */
  name: string
  established: boolean
  /** BIRD's own words: Established, Active, Connect, Passive, Idle, OpenSent ..., and its last error. */
  info: string
  /** When the protocol last changed its state, as BIRD prints it: seconds, or a date after a day. */
  since: string
  /** Disabled by an operator (`birdc disable`). */
  disabled: boolean
  /** Null if only the row was read. */
  imported: number | null
}

/** One BGP session with its details (`show protocols all`). */
export interface Session extends SessionRow {
  /** Address of the neighbor, e.g. 192.0.2.2. */
  neighbor: string
  imported: number
  /** Set while the neighbor itself is in graceful restart: BIRD keeps its routes, see RFC 4724 section 4.2. */
  restarting: { secondsLeft: number | null } | null
  /** The peer announced graceful restart (RFC 4724); known only while Established. */
  restartAware: boolean
}

/** `rows` is cheap in a large mesh. */
export type Depth = 'rows' | 'details'

/** A BIRD daemon that answers. */
export interface BirdUp<S extends SessionRow = Session> {
  state: 'up'
  /** "Last reboot on", as BIRD prints it: moves with the wall clock, and wobbles by a second. */
  lastReboot: string
  /** Identity of the control socket, which each start of BIRD creates again; null if it is queried by exec. */
  instance: string | null
  /** Graceful-restart recovery in progress (reply code 0024). */
  recovering: boolean
  /** "Wait timer is 225/240"; null outside recovery. */
  waitTimer: string | null
  sessions: S[]
}

/** What one look at a BIRD daemon shows. */
export type BirdView<S extends SessionRow = Session> =
  /** Nothing listens at the socket. */
  | { state: 'down' }
  /** It accepts the connection but does not answer in time. */
  | { state: 'silent' }
  | BirdUp<S>
