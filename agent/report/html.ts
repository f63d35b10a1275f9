import { PAGE_STYLE } from './page-style.ts'
import { manyLines } from './text.ts'

/** Text from Docker, BIRD, a registry or another host is not markup. */
export function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}

/** The same; in a long word, such as an image's name or a path, a line may end behind a slash, or before the digest. */
export function breakable(text: string): string {
  return escaped(text).replace(/\S{31,}/g, (word) =>
    word.replace(/\/(?=\w)/g, '/<wbr>').replaceAll('@sha256:', '<wbr>@sha256:'),
  )
}

/** Some lines of text as markup. */
export function breakableLines(text: string): string {
  return manyLines(text).map(breakable).join('<br>')
}

/** A whole page: no script, and nothing from elsewhere. `title` is text, `body` markup. */
export function htmlPage(title: string, body: string[]): string {
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    `<title>${escaped(title)}</title>`,
    `<style>${PAGE_STYLE}</style>`,
    '</head>',
    '<body>',
    '<main>',
    ...body,
    '</main>',
    '</body>',
    '</html>',
    '',
  ].join('\n')
}

/** Names and their values; what has no value is left out. Both are text. */
export function factList(facts: [name: string, value: string | null][]): string {
  const items = facts.map(([name, value]) =>
    value === null || value === ''
      ? ''
      : `<div><dt>${escaped(name)}</dt><dd>${breakableLines(value)}</dd></div>`,
  )
  return `<dl>${items.join('')}</dl>`
}

/** All of it is markup. The first cell of a row names it. */
export function dataTable(caption: string, heads: string[], rows: string[][]): string {
  const head = heads.map((text) => `<th scope="col">${text}</th>`).join('')
  const lines = rows.map(([name = '', ...cells]) => {
    return `<tr><th scope="row">${name}</th>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`
  })
  return [
    `<table><caption>${caption}</caption>`,
    `<thead><tr>${head}</tr></thead>`,
    `<tbody>${lines.join('\n')}</tbody>`,
    '</table>',
  ].join('\n')
}
