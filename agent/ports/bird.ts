import type { BirdEndpoint, BirdView, Depth, SessionRow } from '../core/bird/view.ts'

/** What is at the path of BIRD's socket; `dead`: a socket on which nothing listens. */
export type SocketState = 'listening' | 'missing' | 'dead' | 'file' | 'symlink'

/**
 * BIRD's control socket, directly or by `birdcl` in the container. `container` is the id to exec in.
 * Never anything that ends BIRD: a Cease notification makes the peers drop the routes at once.
 */
export interface Bird {
  /** Looks at the last part of the path only: /var/run is a symlink itself. */
  socketState(path: string): Promise<SocketState>
  /** Without symlinks: two paths to one directory become the same. */
  realPath(path: string): Promise<string>
  look(endpoint: BirdEndpoint, container: string, depth?: 'details'): Promise<BirdView>
  look(endpoint: BirdEndpoint, container: string, depth?: Depth): Promise<BirdView<SessionRow>>
  disable(endpoint: BirdEndpoint, container: string, protocol: string): Promise<void>
  enable(endpoint: BirdEndpoint, container: string, protocol: string): Promise<void>
}
