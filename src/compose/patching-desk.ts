import type { Egress } from '../egress/ports.ts';
import { noticingOf } from '../http/task-bases-document.ts';
import type { Installation } from '../installation.ts';
import { createPatchingDesk } from '../patch/desk/desk.ts';
import type { PatchingDesk } from '../patch/desk/ports.ts';
import { whyUnnoticed } from '../patch/learn/describe-bases.ts';
import type { PatchQueue, RunNotices, RunQueue } from '../queue/ports.ts';
import { openCampaigns } from './campaigns.ts';
import { openForeign } from './foreign-registries.ts';
import { createSubmitDeps } from './git-deliveries.ts';

export interface DeskOptions {
  readonly queue: RunQueue;
  readonly notices: RunNotices;
  readonly patches: PatchQueue;
  readonly egress: Egress;
}

/** Opens what the API answers from about base images and campaigns; what people ask of a campaign is done in this process. */
export function openPatchingDesk(installation: Installation, options: DeskOptions): PatchingDesk {
  const { clock, config, store } = installation;
  const { queue, notices, patches, egress } = options;
  const submit = createSubmitDeps(installation, queue, notices);
  const { registries } = openForeign(installation, egress);
  const campaigns = openCampaigns({ installation, submit, queue, notices, patches, registries });
  const { conductor, graph, platformsOf } = campaigns;
  const noticing = noticingOf(config);
  return createPatchingDesk({
    ...store,
    queue: patches,
    policy: () => config.patching.campaign,
    ...{ graph, conductor, platformsOf, clock },
    whyUnnoticed: (image) => whyUnnoticed(image, noticing),
  });
}
