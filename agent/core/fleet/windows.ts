/** As they are counted from Sunday. */
export const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const

/** A time of each week in which the service may start, on the wall clock of `zone`. */
export interface MaintenanceWindow {
  days: (typeof DAYS)[number][]
  /** `HH:MM` */
  start: string
  lengthMs: number
  /** IANA name, such as UTC or Europe/Berlin. */
  zone: string
}

const WEEK_MINUTES = 7 * 24 * 60

/** Whether one of them is open. */
export function isOpen(windows: MaintenanceWindow[], now: Date): boolean {
  return windows.some((window) => isOpenAt(window, minuteOfWeek(now, window.zone)))
}

function isOpenAt({ days, start, lengthMs }: MaintenanceWindow, now: number): boolean {
  const [hours = 0, minutes = 0] = start.split(':').map(Number)
  return days.some((day) => {
    const begin = (DAYS.indexOf(day) * 24 + hours) * 60 + minutes
    // one that begins on Saturday may end on Sunday
    return (now - begin + WEEK_MINUTES) % WEEK_MINUTES < lengthMs / 60_000
  })
}

function minuteOfWeek(now: Date, timeZone: string): number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  })
  const parts = new Map(format.formatToParts(now).map(({ type, value }) => [type, value]))
  const day = DAYS.findIndex((name) => name === parts.get('weekday')?.toLowerCase())
  return (day * 24 + Number(parts.get('hour'))) * 60 + Number(parts.get('minute'))
}

export function windowText({ days, start, lengthMs, zone }: MaintenanceWindow): string {
  return `${days.join(', ')} ${start} for ${lengthMs / 60_000} min (${zone})`
}
