import { accessText, type GivenFile, unreadable } from '../docker/file-access.ts'
import { mustPull } from '../docker/image-state.ts'
import type { Observed, ObservedControllers } from '../model.ts'
import { changeBy } from '../release/controllers-env.ts'
import { type Rule, rulesOn } from './rule.ts'

interface Users {
  name: string
  controllers: ObservedControllers
  /** In Docker's form; null if the operator's own setting stays, or the image is not known yet. */
  user: { from: string; to: string } | null
  unreadable: GivenFile[]
}

/** Images run as uid 999 from v3.16 on, and what is mounted belongs to root. */
export const controllersUserRules: Rule[] = rulesOn(usersOf, [
  {
    code: 'controllers-user-changes',
    severity: 'warning',
    about: 'the new controllers run as the same user',
    seen: ({ user }) => (user ? userText(user.to) : 'no change known'),
    check: ({ name, user }) =>
      user === null || userText(user.from) === userText(user.to)
        ? null
        : {
            message: `${name} will run as ${userText(user.to)} instead of ${userText(user.from)}: its new image sets that user`,
            fix: 'make sure that this user can read what is mounted into it',
          },
  },
  {
    code: 'controllers-unreadable',
    severity: 'error',
    allowable: true,
    about: 'the new controllers can read the files that their settings name',
    seen: ({ controllers: { given = [] } }) =>
      given.map(({ setting }) => setting).join(', ') || 'no such file known',
    check: ({ name, controllers, user, unreadable: files }) =>
      files.map((file) => ({
        message: `cannot upgrade ${name}: the new image runs as ${userText(user?.to ?? '')}, which cannot read ${file.setting}=${file.path} (${file.hostPath}: ${accessText(file)})`,
        fix: `let that user read ${file.hostPath}: chown ${user?.to ?? ''} ${file.hostPath}; or ${changeBy(controllers, name, '--user 0')}`,
      })),
  },
])

function usersOf({ controllers, controllersImage: image }: Observed): Users | null {
  if (controllers === null || image === null) return null
  const { container, image: old, given = [], pod } = controllers
  const name = pod?.container ?? container.Name.replace(/^\//, '')
  const next = mustPull(image) ? null : image.local
  const own = container.Config.User ?? ''
  const isInherited = own === (old?.Config?.User ?? '')
  if (next === null || old === null || !isInherited) return { name, controllers, user: null, unreadable: [] }
  const user = { from: own, to: next.Config?.User ?? '' }
  const hasFurtherGroups = ((container.HostConfig['GroupAdd'] ?? []) as string[]).length > 0
  return { name, controllers, user, unreadable: unreadable(given, user.to, hasFurtherGroups) }
}

function userText(user: string): string {
  return ['', '0', 'root'].includes(user) ? 'root' : `user ${user}`
}
