type Refuse = (why: string) => Error;

/** Letters, digits and a few marks: what a ref may hold. No shell, option or revision syntax gets through. */
const refPattern = /^[\p{L}\p{N}_][\p{L}\p{N}._/@+=,#-]{0,249}$/u;

/**
 * Checks a branch, tag, commit or `pull/N/head` that came from outside (the rules of `git check-ref-format`, and fewer
 * characters than it allows). Throws what `bad` makes of the reason.
 */
export function assertGitRef(ref: string, bad: Refuse): void {
  if (ref.startsWith('-')) throw bad('its ref starts with "-"');
  if (!refPattern.test(ref)) throw bad('its ref holds characters that a ref cannot have here');
  const parts = ref.split('/');
  if (ref.includes('..') || ref.includes('@{') || parts.some((part) => part === '' || /^\.|\.lock$|\.$/.test(part))) {
    throw bad('its ref is no valid git ref');
  }
}

/**
 * Checks a folder inside a repository and gives it without slashes at its ends; undefined for the root itself.
 * Throws what `bad` makes of the reason.
 */
export function assertFolder(text: string, bad: Refuse): string | undefined {
  const parts = text.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw bad('its folder leaves the repository');
  if (parts.some((part) => part.startsWith('-'))) throw bad('its folder starts with "-"');
  if (parts.some((part) => part.toLowerCase() === '.git')) throw bad('its folder is inside .git');
  if (text.includes(':')) throw bad('its folder holds a colon');
  return parts.length === 0 ? undefined : parts.join('/');
}
