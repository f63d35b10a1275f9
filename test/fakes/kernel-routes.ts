import type { KernelRoutes } from '../../agent/ports/kernel-routes.ts'

/** Remembers whether routes are held. */
export class FakeKernelRoutes implements KernelRoutes {
  held = false

  hold(): Promise<void> {
    this.held = true
    return Promise.resolve()
  }

  release(): Promise<void> {
    this.held = false
    return Promise.resolve()
  }
}
