/** Runs the static checks side by side and reports them in order. */
import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'

interface Check {
  name: string
  /** A program of node_modules/.bin and its arguments. */
  argv: [string, ...string[]]
}

interface Outcome {
  passed: boolean
  output: string
  seconds: number
}

const checks: Check[] = [
  { name: 'format', argv: ['biome', 'check', '--error-on-warnings'] },
  { name: 'types', argv: ['tsc'] },
  { name: 'lint', argv: ['eslint', '--max-warnings', '0', '.'] },
  { name: 'layers', argv: ['depcruise', 'agent', 'scripts', 'test'] },
  { name: 'unused', argv: ['knip', '--treat-config-hints-as-errors'] },
]
const names = checks.map(({ name }) => name)

const usage = `Usage: node scripts/check.ts [CHECK...]

Runs the named checks, or all of them, on the project in the current directory: ${names.join(', ')}.`

function run([tool, ...args]: Check['argv']): Promise<Outcome> {
  const bin = resolve(import.meta.dirname, '../node_modules/.bin')
  // The tools find the pinned Node through PATH.
  const env = { ...process.env, PATH: `${bin}:${process.env['PATH'] ?? ''}` }
  const start = performance.now()
  return new Promise((done) => {
    execFile(resolve(bin, tool), args, { env, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      // A number is the tool's own verdict, which it has explained; else it did not run to its end.
      const reason = error && typeof error.code !== 'number' ? error.message : ''
      const seconds = (performance.now() - start) / 1000
      done({ passed: error === null, output: `${stdout}${stderr}${reason}`, seconds })
    })
  })
}

async function report(name: string, running: Promise<Outcome>): Promise<boolean> {
  const { passed, output, seconds } = await running
  console.log(`${name}: ${passed ? 'ok' : 'failed'} (${seconds.toFixed(1)} s)`)
  if (!passed) console.log(output.trimEnd())
  return passed
}

async function main(wanted: string[]): Promise<void> {
  const running = checks
    .filter(({ name }) => wanted.length === 0 || wanted.includes(name))
    .map(({ name, argv }) => ({ name, outcome: run(argv) }))
  const failed: string[] = []
  for (const { name, outcome } of running) if (!(await report(name, outcome))) failed.push(name)
  console.log(failed.length === 0 ? 'all checks passed' : `failed checks: ${failed.join(', ')}`)
  process.exitCode = failed.length === 0 ? 0 : 1
}

const { values, positionals } = parseArgs({
  options: { help: { type: 'boolean', default: false } },
  allowPositionals: true,
})
const unknown = positionals.filter((name) => !names.includes(name))

if (values.help) {
  console.log(usage)
} else if (unknown.length > 0) {
  console.error(`no such check: ${unknown.join(', ')}\n\n${usage}`)
  process.exitCode = 2
} else {
  await main(positionals)
}
