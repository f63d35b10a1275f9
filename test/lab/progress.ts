/** One line per long piece of work on stderr, with the time it took. */
export async function progress<T>(what: string, work: () => Promise<T>): Promise<T> {
  const start = performance.now()
  process.stderr.write(`lab: ${what} ...\n`)
  const result = await work()
  process.stderr.write(`lab: ${what}: ${((performance.now() - start) / 1000).toFixed(1)} s\n`)
  return result
}
