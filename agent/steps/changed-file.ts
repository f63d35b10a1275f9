import type { Problem } from '../core/errors.ts'

/** Of a file that the way back would put back, and that is somebody else's by now. */
export function leftAsItIs(code: string, path: string): Problem {
  return {
    code,
    severity: 'warning',
    message: `${path} was changed by another process during the run, and stays as it is`,
    fix: `look at ${path}`,
  }
}
