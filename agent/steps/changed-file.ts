import type { Problem } from '../core/errors.ts'

/** For a file that the way back would restore, but that someone else has changed. */
export function leftAsItIs(code: string, path: string): Problem {
  return {
    code,
    severity: 'warning',
    message: `${path} was changed by another process during the run, and stays as it is`,
    fix: `look at ${path}`,
  }
}
