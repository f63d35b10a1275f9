/** Metadata of one of Calico's objects. */
export const named = (name: string): object => ({
  name,
  namespace: 'kube-system',
  labels: { 'k8s-app': name },
})
