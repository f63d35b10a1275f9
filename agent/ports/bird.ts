import type { BirdEndpoint, BirdView, Depth, SessionRow } from '../core/bird/view.ts'

/** What stands at a path where BIRD's socket should be; `dead`: a socket nobody listens at. */
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
