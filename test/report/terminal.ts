/** A terminal of so many columns, as far as the live display uses one. */
export class FakeTerminal {
  readonly columns: number
  readonly rows = 24
  #lines = ['']
  #row = 0
  #column = 0

  constructor(columns = 80) {
    this.columns = columns
  }

  readonly write = (text: string): void => {
    for (const [part, up, clear] of text.matchAll(/\x1b\[(?:(\d+)F|([KJ])|\d+m)|[^]/gu)) {
      if (up !== undefined) this.#move(this.#row - Number(up), 0)
      else if (clear === 'K') this.#lines[this.#row] = this.#line.slice(0, this.#column)
      else if (clear === 'J') this.#lines.splice(this.#row, Infinity, this.#line.slice(0, this.#column))
      else if (part === '\n') this.#move(this.#row + 1, 0)
      else if (part === '\r') this.#column = 0
      else if (!part.startsWith('\x1b[')) this.#put(part)
    }
  }

  /** What is to be read, the cursor at the beginning of the line below it. */
  get text(): string {
    if (this.#column !== 0 || this.#row !== this.#lines.length - 1)
      throw new Error('the cursor is not below the text')
    return this.#lines.join('\n').trimEnd()
  }

  #put(char: string): void {
    if (this.#column === this.columns) this.#move(this.#row + 1, 0)
    const line = Array.from(this.#line.padEnd(this.#column))
    line[this.#column++] = char
    this.#lines[this.#row] = line.join('')
  }

  #move(row: number, column: number): void {
    if (row < 0) throw new Error('the cursor leaves the screen')
    while (this.#lines.length <= row) this.#lines.push('')
    this.#row = row
    this.#column = column
  }

  get #line(): string {
    return this.#lines[this.#row] ?? ''
  }
}
