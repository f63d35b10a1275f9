import type { ConfigShowReport, Origin } from '../core/report/config-show.ts'
import { oneLine } from './text.ts'
import { alignedRows, type TextOptions } from './wrap.ts'

/** The config in force, for people: a line for each key. No newline at its end. */
export function renderConfigShow({ settings }: ConfigShowReport, { columns }: TextOptions): string {
  const rows = settings.map(({ key, value, origin }) => [key, valueText(value), originText(origin)])
  return alignedRows([['KEY', 'VALUE', 'FROM'], ...rows], columns).join('\n')
}

function valueText(value: unknown): string {
  return oneLine(typeof value === 'string' ? value : JSON.stringify(value))
}

function originText(origin: Origin): string {
  switch (origin.from) {
    case 'file':
      return `${oneLine(origin.file)}:${origin.line}`
    case 'flag':
      return origin.flag
    case 'release':
      return `release table, ${origin.release}`
    case 'manifest':
      return oneLine(origin.file)
    case 'default':
      return 'default'
  }
}
