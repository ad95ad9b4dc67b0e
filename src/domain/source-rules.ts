export const sourceTriggerEvents = ['commit', 'pullrequest', 'tag'] as const;

/** The reference's two words (acr-tasks.md §3.3), and `tag`. */
export type SourceTriggerEvent = (typeof sourceTriggerEvents)[number];

/** Globs: `*` within a name, `**` over any number of them. A filter without `include` takes in everything. */
export interface GlobFilter {
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
}
