/** What a monitoring system knows about the cluster. */
export interface Alerts {
  /** The names of the alerts that fire. @throws AgentError `fleet-blocked` (exit 75) where it does not answer */
  firing(): Promise<string[]>
}
