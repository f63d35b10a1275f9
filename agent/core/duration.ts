const MS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** `90s`, `30m`, `2h` or `1d` in milliseconds; null for anything else. */
export function durationMs(text: string): number | null {
  const [, count, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  const factor = MS[unit]
  return count === undefined || factor === undefined ? null : Number(count) * factor
}
