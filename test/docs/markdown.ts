import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

export const root = resolve(import.meta.dirname, '../..')

export function textOf(path: string): string {
  return readFileSync(join(root, path), 'utf8')
}

/** What stands between a heading and the next one of its level or above; throws where there is no such heading. */
export function section(text: string, heading: string): string {
  const lines = text.split('\n')
  const start = lines.indexOf(heading)
  if (start < 0) throw new Error(`no heading "${heading}"`)
  const level = heading.indexOf(' ')
  const rest = lines.slice(start + 1)
  const end = rest.findIndex((line) => /^#+ /.test(line) && line.indexOf(' ') <= level)
  return rest.slice(0, end < 0 ? undefined : end).join('\n')
}

/** Rows of all tables, heads and rules left out: the cells of each. */
export function rows(text: string): string[][] {
  const lines = text.split('\n')
  return lines
    .filter((line, i) => line.startsWith('|') && !isRule(line) && !isRule(lines[i + 1] ?? ''))
    .map((line) => line.split(/(?<!\\)\|/).slice(1, -1))
    .map((cells) => cells.map((cell) => cell.trim().replaceAll('\\|', '|')))
}

function isRule(line: string): boolean {
  return /^\|[-| ]+\|$/.test(line)
}

/** First cells of the rows, where they are one code span: `name` or `--name VALUE`. */
export function codeRows(text: string): string[] {
  return rows(text).flatMap(([first = '']) => /^`([^`]+)`$/.exec(first)?.[1] ?? [])
}

export interface Fence {
  language: string
  body: string
}

/** The fenced blocks, in order, without the indent of the list that they are in. */
export function fences(text: string): Fence[] {
  return [...text.matchAll(/^( *)```(\w+)\n([\s\S]*?)^\1```$/gm)].map(
    ([, indent = '', language = '', body = '']) => ({
      language,
      body: body.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
    }),
  )
}

/** The bodies of a language. */
export function blocks(text: string, language: string): string[] {
  return fences(text).flatMap((fence) => (fence.language === language ? [fence.body] : []))
}

/** Links that do not leave the repository: path and anchor, either of them empty. */
export function relativeLinks(text: string): { path: string; anchor: string }[] {
  const prose = text.replace(/^```[\s\S]*?^```$/gm, '')
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [path = '', anchor = ''] = target.split('#')
      return { path, anchor }
    })
}

/** As GitHub makes them of headings. */
export function anchors(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )
}
