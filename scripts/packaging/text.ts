/** A cell of a Markdown table as plain text: links become their words, code spans their content. */
export function plainText(cell: string): string {
  return cell
    .replace(/\[([^\]]+)\]\([^)]*\)/g, '$1')
    .replaceAll('`', '')
    .replaceAll(/\*\*?([^*]+)\*\*?/g, '$1')
    .trim()
}

/** Lines of at most 100 characters, or `width`, each behind the prefix. */
export function wrap(text: string, prefix: string, width = 100): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/\s+/)) {
    if (line !== '' && prefix.length + line.length + 1 + word.length > width) {
      lines.push(prefix + line)
      line = ''
    }
    line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, prefix + line]
}
