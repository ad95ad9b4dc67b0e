/** The aliases of run variables that every v1.1.0 task has (acr-tasks.md §2.4). */
export const variableAliases: Readonly<Record<string, string>> = {
  ID: '{{.Run.ID}}',
  SharedVolume: '{{.Run.SharedVolume}}',
  Registry: '{{.Run.Registry}}',
  RegistryName: '{{.Run.RegistryName}}',
  Date: '{{.Run.Date}}',
  OS: '{{.Run.OS}}',
  Architecture: '{{.Run.Architecture}}',
  Commit: '{{.Run.Commit}}',
  Branch: '{{.Run.Branch}}',
};

/** The images that a v1.1.0 task may name by one word; an installation may have others in their place. */
export const defaultImageAliases: Readonly<Record<string, string>> = {
  acr: 'mcr.microsoft.com/acr/acr-cli:0.19',
  az: 'mcr.microsoft.com/acr/azure-cli:2ff604c',
  bash: 'mcr.microsoft.com/acr/bash:2ff604c',
  curl: 'mcr.microsoft.com/acr/curl:2ff604c',
  cssc: 'mcr.microsoft.com/acr/cssc:2ff604c',
};

/** The images that the machines of the original have under these bare names, in every version of the language. */
export const agentImages: readonly string[] = ['acb', 'bash', 'buildx', 'docker'];

/** The images that a task may name by one word in an installation that has `own` ones; bare names of the engine's own client stay. */
export function imageAliasesWith(own: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const added = Object.entries(own).filter(([name]) => name in defaultImageAliases || !agentImages.includes(name));
  return { ...defaultImageAliases, ...Object.fromEntries(added) };
}
