import { escaped } from './html.ts'

export type Fill = 'good' | 'warn' | 'bad' | 'info' | 'none'

/** From and to in shares of the whole. */
export interface Part {
  fill: Fill
  from: number
  to: number
}

/** A thin bar on a track, as wide as its place. `label` is what it shows, as text. */
export function scaleBar(label: string, parts: Part[]): string {
  const named = escaped(label)
  return [
    `<svg class="bar" role="img"><title>${named}</title>`,
    `<rect class="track" width="100%" height="100%" rx="3"/>`,
    ...parts.map((part) => partRect(part, 'height="100%" rx="3"')),
    '</svg>',
  ].join('')
}

/** Wide enough that what was quick is seen. */
export function partRect({ fill, from, to }: Part, more: string): string {
  const width = Math.max(LEAST, to - from)
  return `<rect class="fill-${fill}" x="${percent(Math.min(from, 1 - LEAST))}" width="${percent(width)}" ${more}/>`
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(2)}%`
}

const LEAST = 0.006
