/** Hosts that container engines reach without TLS: those of the machine itself. */
export function isLoopback(registry: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i.test(registry);
}

/** Where the API of a registry is, without a slash at the end. Docker Hub's is not at the host that its images name. */
export function originOf(registry: string): string {
  if (registry === 'docker.io') return 'https://registry-1.docker.io';
  return `${isLoopback(registry) ? 'http' : 'https'}://${registry}`;
}
