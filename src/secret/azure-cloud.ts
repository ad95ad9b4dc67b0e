/** One of Azure's clouds: where its vaults are, and who gives out tokens for them. */
export interface AzureCloud {
  /** What the names of its vaults end with. */
  readonly suffix: string;
  readonly authority: string;
}

/** The cloud of most vaults, and of servers that were set up as key vaults. */
export const publicCloud: AzureCloud = { suffix: 'vault.azure.net', authority: 'https://login.microsoftonline.com' };
const clouds: readonly AzureCloud[] = [
  publicCloud,
  { suffix: 'vault.azure.cn', authority: 'https://login.partner.microsoftonline.cn' },
  { suffix: 'vault.usgovcloudapi.net', authority: 'https://login.microsoftonline.us' },
  { suffix: 'vault.microsoftazure.de', authority: 'https://login.microsoftonline.de' },
];

/** The cloud that a vault's URL belongs to; undefined: the URL is of no key vault. */
export function cloudOf({ protocol, host }: URL): AzureCloud | undefined {
  return clouds.find(
    ({ suffix }) =>
      protocol === 'https:' && host.endsWith(`.${suffix}`) && !host.slice(0, -suffix.length - 1).includes('.'),
  );
}
