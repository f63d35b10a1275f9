import { shown } from './command-lines.ts'
import { execLines, type UnitSource } from './commands.ts'
import { textOf } from './traced.ts'

const ENGINES = /(^|\/)(docker|podman|nerdctl|ctr|crictl|docker-compose)$/
/** Downloads, and waits. */
const SLOW =
  /(^|\/)(wget|curl|aria2c|skopeo|scp|sftp|rsync|git|pip3?|apt|apt-get|yum|dnf|zypper|apk|sleep|wait-for-it(\.sh)?)$/
/** What may come before a program. */
const BEFORE =
  /(^|\/)(env|timeout|nice|ionice|sudo|nohup|time|chrt|until|while|if|then|do|else|!|\{|[\d.]+[smh]?|-.*|\w+=.*)$/

/** Lines of `ExecStart=` that pull, download or wait before the container runs, as they are written. */
export function slowLines(source: UnitSource): string[] {
  return execLines(source, ['ExecStart']).flatMap(({ key, value, commands }) =>
    commands.some((words) => isSlow(words.map(({ text }) => textOf(text))))
      ? [shown(`${key}=${textOf(value)}`)]
      : [],
  )
}

function isSlow(words: string[]): boolean {
  const at = words.findIndex((word) => !BEFORE.test(word))
  const [program = '', ...args] = at < 0 ? [] : words.slice(at)
  if (SLOW.test(program)) return true
  if (!ENGINES.test(program)) return false
  const verbs = args.filter((arg) => !arg.startsWith('-')).slice(0, 2)
  return (
    verbs.includes('pull') ||
    args.some((arg, i) => arg === '--pull=always' || (arg === '--pull' && args[i + 1] === 'always'))
  )
}
