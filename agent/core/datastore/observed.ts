/** What calico/node keeps its state in, as it answers now. */
export interface ObservedDatastore {
  kind: 'etcd' | 'kubernetes'
  /** What names it: `ETCD_ENDPOINTS`. */
  by: string
  /** At least one; `failure` says why it does not answer, null where it does. */
  endpoints: { shown: string; failure: string | null }[]
}
