export type Sample = [value: number, labels?: Record<string, string>]

export interface Metric {
  name: string
  help: string
  /** None: what is not known is left out. */
  samples: Sample[]
  counter?: true
}

/** One sample, or none where the value is not known. */
export function known(value: number | null | undefined): Sample[] {
  return value == null ? [] : [[value]]
}
