import type { Command } from 'commander';
import type { Start } from '../cli.ts';
import { addRegistryCare } from './registry-care.ts';
import { addRegistryCredential } from './registry-credential.ts';
import { addRegistryPolicy } from './registry-policy.ts';
import { addRegistryPurge } from './registry-purge.ts';
import { addRegistryScan } from './registry-scan.ts';
import { addRegistryUpkeep } from './registry-upkeep.ts';
import { addRegistryTrust } from './registry-trust.ts';
import { addRegistryImport } from './registry-import.ts';
import { addServicePrincipal } from './service-principal.ts';

/** Adds `slipway registry …`: what concerns the whole registry. */
export function addRegistry(program: Command, start: Start): void {
  const registry = program
    .command('registry')
    .summary('look after the registry')
    .description('What concerns the registry as a whole.');
  addRegistryCredential(registry, start);
  addRegistryImport(registry, start);
  addServicePrincipal(registry, start);
  addRegistryPolicy(registry, start);
  addRegistryPurge(registry, start);
  addRegistryCare(registry, start);
  addRegistryUpkeep(registry, start);
  addRegistryTrust(registry, start);
  addRegistryScan(registry, start);
}
