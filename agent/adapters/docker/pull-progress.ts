import type { PullProgress } from '../../ports/docker.ts'

/** One line of the stream of `POST /images/create`. */
export interface PullEvent {
  /** The layer; the first line carries the tag here. */
  id?: string
  status?: string
  progressDetail?: { current?: number; total?: number }
  error?: string
  errorDetail?: { message?: string }
}

interface Layer {
  current: number
  total: number
  done: boolean
}

/** Adds up the layers of one pull. Bytes are those of the download: extraction counts the same ones again. */
export class PullTotals {
  private readonly layers = new Map<string, Layer>()

  record({ id, status = '', progressDetail = {} }: PullEvent): void {
    if (id === undefined || status.startsWith('Pulling from ')) return
    const layer = this.layers.get(id) ?? { current: 0, total: 0, done: false }
    this.layers.set(id, layer)
    const { current = 0, total = 0 } = progressDetail
    if (status === 'Downloading') {
      layer.total = Math.max(layer.total, total)
      // a resumed download counts only what was left
      layer.current = layer.total - total + current
    }
    if (status === 'Download complete') layer.current = layer.total
    if (status === 'Pull complete' || status === 'Already exists') layer.done = true
  }

  sum(): PullProgress {
    const layers = [...this.layers.values()]
    return {
      currentBytes: layers.reduce((bytes, layer) => bytes + layer.current, 0),
      totalBytes: layers.reduce((bytes, layer) => bytes + layer.total, 0),
      layersDone: layers.filter((layer) => layer.done).length,
      layers: layers.length,
    }
  }
}
