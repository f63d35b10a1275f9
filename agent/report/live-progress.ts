import type { AgentEvent } from '../core/events.ts'
import { lookUpText, type Pull, pullText, retryText } from './pull-text.ts'
import { type Describe, RunView, type StepView, waitingText } from './run-view.ts'
import { Screen, type Terminal } from './screen.ts'
import { type Colors, duration, oneLine, progressBar, seconds, setSeconds } from './text.ts'

const REDRAW_MS = 100
const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']
const BAR_WIDTH = 30

/** The steps of the run, redrawn in place on a terminal. */
export class LiveProgress {
  readonly #screen: Screen
  readonly #colors: Colors
  readonly #describe: Describe
  #view: RunView | null = null
  #timer: NodeJS.Timeout | undefined

  constructor(terminal: Terminal, colors: Colors, describe: Describe) {
    this.#screen = new Screen(terminal)
    this.#colors = colors
    this.#describe = describe
  }

  show(event: AgentEvent): void {
    if (event.type === 'run') this.#begin(new RunView(event, this.#describe))
    if (event.type === 'problem') this.#warn(event.problem)
    if (event.type === 'waiting') this.#screen.print(this.#colors.dim(waitingText(event)))
    if (event.type === 'look-up') this.#screen.print(this.#colors.dim(lookUpText(event)))
    this.#view?.apply(event)
    // Looks and pulls come faster than anybody reads: the timer draws them.
    if (event.type !== 'standing' && event.type !== 'pull') this.#redraw()
  }

  end(): void {
    clearInterval(this.#timer)
    this.#draw()
    this.#screen.release()
    this.#view = null
  }

  /** A run that was interrupted is settled before the one that was asked for: both stay to be read. */
  #begin(view: RunView): void {
    this.end()
    this.#view = view
    this.#timer = setInterval(() => {
      this.#redraw()
    }, REDRAW_MS).unref()
  }

  #warn({ severity, message }: { severity: 'error' | 'warning'; message: string }): void {
    if (severity === 'error') return
    this.#screen.print(`${this.#colors.yellow('warning:')} ${oneLine(message)}`)
  }

  /** A slow terminal skips a drawing: the next one shows more. */
  #redraw(): void {
    if (!this.#screen.isBehind) this.#draw()
  }

  #draw(): void {
    if (this.#view) this.#screen.draw(frame(this.#view, this.#colors))
  }
}

function frame(view: RunView, colors: Colors): string[] {
  return [
    colors.dim(`run ${view.run}${view.resumed ? ' (resumed)' : ''}`),
    ...view.steps.flatMap((step) => stepLines(step, view, colors)),
    ...view.notes.map((note) => colors.yellow(note)),
    ...(view.unwinding === null ? [] : [colors.yellow(`rolling back: ${view.unwinding}`)]),
  ]
}

function stepLines(step: StepView, view: RunView, colors: Colors): string[] {
  const { summary, status, ms, reason } = step
  // The last line tells why the run goes back.
  const failure = reason === null || reason === view.unwinding ? [] : [`    ${colors.red(reason)}`]
  switch (status) {
    case 'pending':
      return [colors.dim(`  ${summary}`)]
    case 'doing':
    case 'verifying':
      return [`${spinner(colors)} ${summary} ${elapsed(step, colors)}`, ...detailLines(view, colors)]
    case 'verified':
      return [`${colors.green('✔')} ${summary} ${colors.dim(ms === null ? '' : duration(ms))}`]
    case 'failed':
      return [`${colors.red('✖')} ${summary}`, ...failure]
    case 'undoing':
      return [
        `${spinner(colors)} undo: ${summary} ${elapsed(step, colors)}`,
        ...failure,
        ...detailLines(view, colors),
      ]
    case 'undone':
      return [`${colors.yellow('↩')} undone: ${summary}`, ...failure]
  }
}

/** For the step in progress: its download, or BIRD's state in the window. */
function detailLines(view: RunView, colors: Colors): string[] {
  const { pull, phase, budgetMs, usedMs } = view
  return [
    ...(pull === null ? [] : pullLines(pull, colors)),
    ...(phase === null ? [] : [`    ${phase}`]),
    ...(view.windowShown && budgetMs !== null ? [`    ${windowLine(usedMs, budgetMs, colors)}`] : []),
  ]
}

function pullLines(pull: Pull, colors: Colors): string[] {
  const { currentBytes, totalBytes, retry } = pull
  const line = `    ${colors.cyan(progressBar(currentBytes, totalBytes, BAR_WIDTH))} ${pullText(pull)}`
  return retry ? [line, `    ${colors.yellow(retryText(retry))}`] : [line]
}

function windowLine(usedMs: number, budgetMs: number, colors: Colors): string {
  const paint = usedMs < budgetMs / 2 ? colors.green : usedMs < budgetMs ? colors.yellow : colors.red
  return `window ${paint(progressBar(usedMs, budgetMs, BAR_WIDTH))} ${seconds(usedMs)} of ${setSeconds(budgetMs)}`
}

function spinner(colors: Colors): string {
  return colors.cyan(SPINNER[Math.floor(performance.now() / REDRAW_MS) % SPINNER.length] ?? '')
}

function elapsed({ since }: StepView, colors: Colors): string {
  return colors.dim(seconds(performance.now() - since))
}
