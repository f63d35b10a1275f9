import { type AgentError, ExitCode, type Problem } from '../core/errors.ts'
import { invalidConfig } from '../core/report/config-check.ts'
import { emptyConfigShow } from '../core/report/config-show.ts'
import { emptyMetricsReport } from '../core/report/metrics.ts'
import { emptyDoctorReport } from '../stories/doctor.ts'
import { emptyGcReport } from '../stories/gc/gc.ts'
import { emptyHistoryReport } from '../stories/history/history.ts'
import { unstarted } from '../stories/run-report.ts'
import { emptyStatusReport } from '../stories/status.ts'
import { beforeDashes } from './before-dashes.ts'

/** An invalid command line. */
export class UsageError extends Error {}

const refusal = (problem: Problem): object => unstarted('refused', null, [problem])
const RUNS = ['upgrade', 'plan', 'prefetch', 'rollback', 'resume', 'daemon']

const problemsAlone = (problem: Problem): object => ({ schema: 1, problems: [problem] })

/** The JSON of a command that has nothing else to report. */
const DOCUMENTS = new Map<string, (problem: Problem) => object>([
  ...RUNS.map((name) => [name, refusal] as const),
  ['status', (problem) => ({ ...emptyStatusReport, problems: [problem] })],
  ['doctor', (problem) => emptyDoctorReport([problem])],
  ['history', (problem) => emptyHistoryReport([problem])],
  ['gc', (problem) => emptyGcReport([problem])],
  ['config', (problem) => invalidConfig([problem])],
  ['config show', (problem) => emptyConfigShow([problem])],
  ['metrics', (problem) => emptyMetricsReport([problem])],
  ['fleet', (problem) => ({ schema: 1, changed: false, problems: [problem] })],
])

/** Null where no JSON is asked for. */
export function usageDocument(argv: string[], message: string): object | null {
  const problem = { code: 'bad-usage', severity: 'error', message, fix: 'calico-agent --help' } as const
  return jsonDocument(argv, (command) => documentOf(command)(problem))
}

/** The same for an unexpected failure. After a bug, it is not known what was done. */
export function documentOfFailure(argv: string[], failure: AgentError): object | null {
  const problems = failure.asProblems()
  return jsonDocument(argv, (command) => {
    if (failure.exitCode === ExitCode.bug && RUNS.includes(command)) return unstarted('stuck', null, problems)
    return documentOf(command)(failure.asProblem())
  })
}

const documentOf = (command: string): ((problem: Problem) => object) =>
  DOCUMENTS.get(command) ?? problemsAlone

function jsonDocument(argv: string[], of: (command: string) => object): object | null {
  const words = beforeDashes(argv)
  if (!words.some((word) => /^--json(=true)?$/.test(word))) return null
  const at = words.findIndex((word) => DOCUMENTS.has(word))
  const [command = '', below = ''] = at < 0 ? [] : words.slice(at)
  const both = `${command} ${below}`
  return of(DOCUMENTS.has(both) ? both : command)
}
