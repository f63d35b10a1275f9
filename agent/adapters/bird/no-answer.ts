/** Why BIRD could not be asked; expected, so it becomes a view rather than an error. */
export class NoAnswer extends Error {
  readonly state: 'down' | 'silent'
  constructor(state: 'down' | 'silent', cause?: unknown) {
    super(state === 'down' ? 'nothing listens at the socket' : 'no answer in time', { cause })
    this.state = state
  }
}
