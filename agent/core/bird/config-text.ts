/** Strings first, so that a `#` inside of one does not start a comment. */
const STRING_OR_COMMENT = /"[^"\n]*"|#[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/g

/** The text of bird.cfg without its comments, and with empty strings. */
export function configCode(birdCfg: string): string {
  return birdCfg.replace(STRING_OR_COMMENT, (part) => (part.startsWith('"') ? '""' : ' '))
}

/** `{ ... }` from its opening brace on: its own statements, without those of the braces within. */
export function ownStatements(code: string, brace: number): string[] {
  const statements: string[] = []
  let current = ''
  let depth = 0
  for (const char of code.slice(brace)) {
    if (char === '}' && --depth === 0) break
    if (depth === 1 && char === ';') {
      statements.push(current)
      current = ''
    } else if (depth === 1) current += char
    if (char === '{') depth++
  }
  return [...statements, current].map((statement) => statement.trim())
}
