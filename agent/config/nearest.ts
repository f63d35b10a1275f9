import { distance } from 'fastest-levenshtein'

/** The known name that is most like this one; undefined where none is known. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  return known.toSorted((a, b) => distance(name, a) - distance(name, b))[0]
}

/** The nearest known name, if it is close enough to be a typo: two wrong letters out of five are, two out of two are not. */
export function nearMiss(name: string, known: readonly string[]): string | undefined {
  const found = nearest(name, known)
  return found !== undefined && distance(name, found) <= Math.round(name.length * 0.4) ? found : undefined
}
