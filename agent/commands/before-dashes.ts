/** The words that can be commands and options: what follows `--` is neither. */
export function beforeDashes(argv: string[]): string[] {
  const at = argv.indexOf('--')
  return at < 0 ? argv : argv.slice(0, at)
}
