import stringWidth from 'string-width'
import type { Output } from './output.ts'
import { clip } from './text.ts'
import { hanging } from './wrap.ts'

/** Columns and rows as a stream has them: none, or 0, where they are not known. */
export interface TerminalSize {
  columns?: number | undefined
  rows?: number | undefined
}

export interface Terminal {
  output: Pick<Output, 'write' | 'isPending'>
  size(): TerminalSize
}

/**
 * A few lines at the end of a terminal, redrawn in place. The cursor rests below them and is never hidden: however
 * the process ends, the shell's prompt comes where it should and nothing has to be put back.
 */
export class Screen {
  readonly #terminal: Terminal
  #drawn: string[] = []

  constructor(terminal: Terminal) {
    this.#terminal = terminal
  }

  /** What was drawn last is not read yet: a frame that can wait is better left out. */
  get isBehind(): boolean {
    return this.#terminal.output.isPending
  }

  draw(lines: string[]): void {
    const { columns, rows } = this.#size()
    const fitting = lines.slice(-(rows - 1)).map((line) => clip(line, columns - 1))
    this.#terminal.output.write(
      this.#home(columns) + fitting.map((line) => `${line}\x1b[K\n`).join('') + '\x1b[J',
    )
    this.#drawn = fitting
  }

  /** In as many lines as it takes; they stay. */
  print(text: string): void {
    this.draw(hanging('', text, this.#size().columns - 1))
    this.release()
  }

  /** What is drawn stays; the next drawing begins below it. */
  release(): void {
    this.#drawn = []
  }

  /** Back to where the last drawing began, one write with the next: nothing flickers. */
  #home(columns: number): string {
    // A terminal made narrower has broken the lines that were drawn before.
    const up = this.#drawn.reduce((sum, line) => sum + Math.max(1, Math.ceil(stringWidth(line) / columns)), 0)
    return up > 0 ? `\x1b[${up}F` : '\r'
  }

  #size(): { columns: number; rows: number } {
    const { columns, rows } = this.#terminal.size()
    return { columns: Math.max(20, columns || 80), rows: Math.max(4, rows || 24) }
  }
}
