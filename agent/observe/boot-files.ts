import { type Claim, claimOfScript, namedByScript } from '../core/unit/keeps.ts'
import { mentions, type Subject } from '../core/unit/starters.ts'
import type { UnitFiles } from '../ports/unit-files.ts'

const CRON = [
  ...['/etc/crontab', '/etc/cron.d/*', '/var/spool/cron/*', '/var/spool/cron/crontabs/*'],
  ...['hourly', 'daily', 'weekly', 'monthly'].map((often) => `/etc/cron.${often}/*`),
]
/** Other supervisors, which a unit of systemd may start. */
const SUPERVISORS = [
  ...['/etc/supervisord.conf', '/etc/supervisord.d/*.ini', '/etc/supervisor/conf.d/*.conf'],
  ...['/etc/monitrc', '/etc/monit.d/*', '/etc/monit/monitrc', '/etc/monit/conf.d/*'],
  ...['/etc/sv/*/run', '/etc/service/*/run'],
]
/** With systemd, units replace these. */
const WITHOUT_SYSTEMD = ['/etc/init/*.conf', '/etc/rc.local', '/etc/rc.d/rc.local', '/etc/init.d/*']

/** Copies of package managers and editors, which none of them runs. */
const LEFT_BEHIND = /(~|\.(dpkg|ucf)-\w+|\.rpm\w+|\.sw[op]|\.bak|\.orig)$/

/** What starts the container without a unit: cron, other supervisors, and where there is no systemd, upstart and init's scripts. */
export async function bootClaims(
  subject: Subject,
  hasSystemd: boolean,
  unitFiles: UnitFiles,
): Promise<Claim[]> {
  const patterns = [...CRON, ...SUPERVISORS, ...(hasSystemd ? [] : WITHOUT_SYSTEMD)]
  const expanded = (await Promise.all(patterns.map((pattern) => unitFiles.expand(pattern)))).flat()
  const paths = expanded.filter((path) => !LEFT_BEHIND.test(path))
  const claims = await Promise.all(paths.map((path) => claimOfFile(path, subject, unitFiles)))
  return claims.flatMap((claim) => claim ?? [])
}

async function claimOfFile(path: string, subject: Subject, files: UnitFiles): Promise<Claim | null> {
  const text = await files.readScript(path)
  if (text === undefined) return null
  const own = claimOfScript({ path, text }, subject)
  if (own?.starts === true) return own
  for (const script of namedByScript({ path, text })) {
    const content = (await files.readScript(script)) ?? ''
    const claim = mentions(content, subject) ? claimOfScript({ path: script, text: content }, subject) : null
    if (claim?.starts === true) return { ...claim, by: path, line: `${script}: ${claim.line}` }
  }
  return null
}
