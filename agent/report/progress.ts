import type { Emit } from '../core/events.ts'
import { LiveProgress } from './live-progress.ts'
import type { Output } from './output.ts'
import { PlainProgress } from './plain-progress.ts'
import type { Describe } from './run-view.ts'
import type { TerminalSize } from './screen.ts'
import { colorsFor } from './text.ts'

export interface ProgressOptions {
  /** Redraw in place; otherwise plain lines without any control character. */
  tty: boolean
  output: Pick<Output, 'write' | 'isPending'>
  color: boolean
  describe: Describe
  /** Read again at each drawing. */
  size?: () => TerminalSize
}

export interface Progress {
  emit: Emit
  /** Draws the last state and leaves the cursor below it. */
  end: () => void
}

/** The progress of a run, for people. Errors are left to the report that follows. */
export function createProgress({ tty, output, color, describe, size }: ProgressOptions): Progress {
  const progress = tty
    ? new LiveProgress({ output, size: size ?? (() => ({})) }, colorsFor(color), describe)
    : new PlainProgress(output, describe)
  return {
    emit: (event) => {
      progress.show(event)
    },
    end: () => {
      progress.end()
    },
  }
}
