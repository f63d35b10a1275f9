import { wrap } from './text.ts'

interface Release {
  version: string
  /** As in CHANGELOG.md: 2026-11-27. */
  date: string
  changes: string[]
}

/** The releases of CHANGELOG.md, the newest first; what is unreleased is none of them. */
export function releases(changelog: string): Release[] {
  return changelog
    .split(/^## /m)
    .slice(1)
    .flatMap((text) => {
      const [, version, date] = /^\[([^\]]+)\] - (\d{4}-\d{2}-\d{2})$/m.exec(text) ?? []
      return version === undefined || date === undefined ? [] : [{ version, date, changes: changesIn(text) }]
    })
}

/** Whether anything stands under Unreleased. */
export const hasUnreleased = (changelog: string): boolean =>
  changelog.split(/^## /m).some((text) => text.startsWith('[Unreleased]') && changesIn(text).length > 0)

const changesIn = (section: string): string[] =>
  section
    .split(/^- /m)
    .slice(1)
    .map((item) => (item.split(/\n(?:\n|###)/)[0] ?? '').replaceAll(/\s+/g, ' ').trim())

/** The release that is packed. What is not in CHANGELOG.md was not released. */
export function releaseOf(changelog: string, version: string): Release {
  const release = releases(changelog).find((each) => each.version === version)
  if (release === undefined)
    throw new Error(
      `cannot pack ${version}: CHANGELOG.md has no section "## [${version}] - DATE"\n  fix: write it, or set the version in package.json`,
    )
  return release
}

/** In seconds since 1970. */
export const epochOf = ({ date }: Release): number => Date.parse(`${date}T00:00:00Z`) / 1000

/** debian/changelog, from CHANGELOG.md. */
export const debianChangelog = (changelog: string, maintainer: string): string =>
  releases(changelog)
    .map((release) => {
      const day = new Date(epochOf(release) * 1000).toUTCString().replace('GMT', '+0000')
      const changes = release.changes.map((text) => bullet(text, '  * ', '    '))
      return `calico-agent (${debianVersion(release.version)}) stable; urgency=medium\n\n${changes.join('\n')}\n\n -- ${maintainer}  ${day}\n`
    })
    .join('\n')

/** What follows %changelog of a spec, from CHANGELOG.md. */
export const rpmChangelog = (changelog: string, maintainer: string): string =>
  releases(changelog)
    .map((release) => {
      const [day, date, month, year] = new Date(epochOf(release) * 1000).toUTCString().split(/,? /)
      const changes = release.changes.map((text) => bullet(text, '- ', '  '))
      return `* ${day} ${month} ${date} ${year} ${maintainer} - ${debianVersion(release.version)}-1\n${changes.join('\n')}\n`
    })
    .join('\n')

const bullet = (text: string, first: string, others: string): string =>
  first + wrap(text, others, 78).join('\n').slice(others.length)

/** dpkg and rpm sort `~` before the end of a version, as SemVer does with `-`. */
export const debianVersion = (version: string): string => version.replace('-', '~')
